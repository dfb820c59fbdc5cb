#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Programs that look at the network and change it, natively in a namespace with lo alone."""
import atexit
import shutil
import tempfile

import harness
from harness import compare

CACHE = tempfile.mkdtemp(prefix="redoubt-go-", dir="/tmp")
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)


def in_own_network(script):
    """The script where lo is all there is: in the sandbox, or natively in a new namespace."""
    return ("cat > script <<'END'\nip link set lo up\n" + script + "\nEND\n"
            "if unshare -n true 2> /dev/null; then unshare -n bash script; else bash script; fi")


def network(name, script, **options):
    compare(name, in_own_network(script), **options)


network("Ip.Addresses", "ip addr; ip -4 addr show lo; ip -6 addr; ip -br addr; ip -o addr",
        needs=["ip"])
network("Ip.Links", "ip link show lo; ip -br link; ip link show nolink; echo $?; "
        "ip -s link show lo | grep -c bytes", needs=["ip"], stderr=True)
network("Ip.LinkJson", "ip -j addr | python3 -c 'import json, sys; print([(l[\"ifname\"], l[\"mtu\"], "
        "[a[\"local\"] for a in l[\"addr_info\"]]) for l in json.load(sys.stdin)])'", needs=["ip"])
network("Ip.Routes", "ip route; ip route show table all; ip -6 route; ip route get 127.0.0.1; "
        "ip route get 127.1.2.3; ip route get 192.0.2.1; echo $?; ip -6 route get ::1 | "
        "sed 's/ metric.*//'", needs=["ip"])
network("Ip.RulesAndNeighbours", "ip rule; ip -6 rule; ip rule add from 10.0.0.0/8 table 100; ip rule; "
        "ip rule del from 10.0.0.0/8 table 100; ip rule; ip neigh; ip -6 neigh", needs=["ip"])
network("Ip.PairWithAddresses", "ip link add va address 02:00:00:00:00:01 type veth peer name vb "
        "address 02:00:00:00:00:02; ip link set va up; ip link set vb up; ip addr add 10.0.0.1/24 "
        "dev va; ip addr add 10.0.0.2/24 brd + dev va label va:1; ip route add default via 10.0.0.9; "
        "ip route add 192.0.2.0/24 via 10.0.0.8 metric 5 mtu 1400; ip neigh add 10.0.0.7 lladdr "
        "02:00:00:00:00:07 dev va; ip -4 addr; ip route; ip route get 198.51.100.1; "
        "ip route get 192.0.2.1; ip neigh; ip route del 192.0.2.0/24; ip addr del 10.0.0.1/24 dev va; "
        "ip -4 addr show va; ip route; ip link del va; ip -br link", needs=["ip"])
network("Ip.Refusals", "ip addr add 10.0.0.1/33 dev lo; ip addr add 10.0.0.1/24 dev no; "
        "ip link add x type nosuchkind; ip link del lo; ip route add 10.0.0.0/8 via 192.0.2.1; "
        "ip route del 10.0.0.0/8; ip addr del 10.0.0.1/8 dev lo; ip link set lo mtu 70000; "
        "ip link set lo name l0; echo $?; ip -br link", needs=["ip"], stderr=True)
network("Ip.MonitorTellsOfChanges", "timeout 3 ip -4 monitor address > out & sleep 1; ip addr add "
        "10.3.0.1/24 dev lo; ip addr del 10.3.0.1/24 dev lo; wait; cat out", needs=["ip"])
network("Ip.Unprivileged", "setpriv --reuid 65534 --clear-groups ip link set lo down; echo $?; "
        "setpriv --reuid 65534 --clear-groups ip -br addr", needs=["ip", "setpriv"], stderr=True)
network("Ifconfig.LoAndAlias", "ifconfig lo | grep -v packets; ifconfig lo:1 10.5.0.1 netmask "
        "255.255.0.0; ifconfig lo:1; ifconfig lo mtu 16000; ifconfig lo | head -1; ifconfig lo:1 "
        "down; ifconfig -a | grep -c inet; ifconfig no", needs=["ifconfig"], status=1)
network("Route.AddAndShow", "route -n; route add -net 10.0.0.0 netmask 255.0.0.0 dev lo; route -n; "
        "route del -net 10.0.0.0 netmask 255.0.0.0; route -n", needs=["route"])
network("Ss.ListenersAndConnections", "python3 - <<'EOS'\n"
        "import socket, subprocess, re\n"
        "a = socket.socket(); a.bind(('127.0.0.1', 7001)); a.listen(7)\n"
        "b = socket.create_connection(('127.0.0.1', 7001)); c, _ = a.accept(); b.send(b'xyz')\n"
        "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('127.0.0.1', 7002))\n"
        "s = socket.socket(socket.AF_INET6); s.bind(('::1', 7003)); s.listen(1)\n"
        "port = str(b.getsockname()[1])\n"
        "for options in ('-tanp', '-tln', '-uan', '-tn', '-6tln'):\n"
        "    out = subprocess.run(['ss', options], capture_output=True, text=True).stdout\n"
        "    out = re.sub('pid=[0-9]+', 'pid=N', out.replace(port, 'PORT'))\n"
        "    print('\\n'.join(sorted(' '.join(line.split()) for line in out.splitlines())))\n"
        "for what in ('sport = :7001', 'dport = :7001', 'src 127.0.0.1:7001'):\n"
        "    out = subprocess.run(['ss', '-tanH', what], capture_output=True, text=True).stdout\n"
        "    print(what, len(out.splitlines()))\n"
        "EOS", needs=["ss"])
network("Ss.UnixSockets", "python3 - <<'EOS'\n"
        "import socket, subprocess\n"
        "a = socket.socket(socket.AF_UNIX); a.bind('\\0network-tools'); a.listen(3)\n"
        "b = socket.socket(socket.AF_UNIX); b.connect('\\0network-tools')\n"
        "p, q = socket.socketpair(); p.send(b'abcd')\n"
        "out = subprocess.run(['ss', '-xapH'], capture_output=True, text=True).stdout\n"
        "rows = [line.split() for line in out.splitlines() if 'python3' in line]\n"
        "print(sorted((r[0], r[1], r[2], '@' in r[4] and r[4]) for r in rows))\n"
        "EOS", needs=["ss"])
network("Netstat.Tables", "netstat -an | grep -v '^unix' | head -5; netstat -i; netstat -rn; "
        "netstat -s | grep -v Forwarding | head -2", needs=["netstat"])
network("Python.Interfaces", "python3 -c 'import socket; print(socket.if_nameindex(), "
        "socket.if_nametoindex(\"lo\"), socket.if_indextoname(1)); "
        "print(socket.getaddrinfo(\"127.0.0.1\", 80, type=socket.SOCK_STREAM)); "
        "print(socket.getaddrinfo(\"localhost\", 80, type=socket.SOCK_STREAM))'")
network("Node.Interfaces", "node -e 'console.log(JSON.stringify(require(\"os\").networkInterfaces()))'",
        needs=["node"])
network("Java.Interfaces", "cat > I.java <<'EOS'\n"
        "import java.net.*; import java.util.*;\n"
        "public class I { public static void main(String[] a) throws Exception {\n"
        "  for (NetworkInterface n : Collections.list(NetworkInterface.getNetworkInterfaces()))\n"
        "    System.out.println(n + \" \" + n.isUp() + n.isLoopback() + n.getMTU() + \" \"\n"
        "        + Collections.list(n.getInetAddresses())); } }\n"
        "EOS\njava I.java", needs=["java"], timeout=120)


def go_program(t):
    t.write("i.go", '''package main
import ("fmt"; "net")
func main() {
  l, e := net.Interfaces()
  fmt.Println(l, e)
  for _, i := range l {
    a, e := i.Addrs()
    m, f := i.MulticastAddrs()
    fmt.Println(a, e, m, f)
  }
}
''')
    t.native(["go", "build", "-o", "i", "i.go"], timeout=240,
             env={"GOCACHE": CACHE, "GOPATH": CACHE, "CGO_ENABLED": "0"})


network("Go.Interfaces", "./i", needs=["go"], setup=go_program)
network("Proc.Tables", "cd /proc/net; cat if_inet6 igmp igmp6 ipv6_route route arp dev_mcast; "
        "head -1 tcp udp raw unix netlink packet; cat sockstat6; cat dev | tr -s ' 0-9'; "
        "awk '/32 host/ { print f } { f = $2 }' fib_trie; cut -d: -f1 snmp | sort -u | head -3")

harness.main()
