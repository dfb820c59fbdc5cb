#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Programs that live off the file system: what they do in the sandbox is what they do outside."""
import harness
from harness import case, compare

# A tree with what copying programs must keep: modes, times, links, holes, odd names, attributes.
TREE = """
mkdir -p tree/sub/deep tree/empty && cd tree
echo one > plain; echo two > 'with space'; printf three > "$(printf 'new\\nline')"
chmod 4755 plain; chmod 1777 empty
ln plain hard; ln -s plain soft; ln -s ../nowhere sub/dangling; mkfifo sub/fifo
truncate -s 3M sub/deep/holes; printf x | dd of=sub/deep/holes bs=1 seek=1048576 conv=notrunc status=none
setfattr -n user.color -v red plain 2>/dev/null
find . -exec touch -h -d '2021-01-01 01:01:01.1' {} +; touch -d '2020-02-02 02:02:02.123456789' plain
cd ..
list() { (cd "$1" && find . -type d -printf '%P %m %T@\\n' -o -printf '%P %y %m %s %n %T@ %l\\n' | LC_ALL=C sort; cat plain sub/deep/holes | sha256sum
getfattr -d -R . 2>/dev/null | sort); }
"""

compare("Cp.Archive", TREE + "cp -a tree copy && list copy && du -k copy/sub/deep/holes | cut -f1 | "
        "awk '{print ($1 < 1000)}'; cp -a --sparse=always tree/sub/deep/holes h && stat -c %s h; "
        "cp --reflink=auto tree/plain r; cp -al tree linked; stat -c %h tree/plain")
compare("Rsync.EverythingKept", TREE + "rsync -aHAX --sparse tree/ copy && list copy; rsync -aHAXni --delete "
        "tree/ copy; echo changed >> tree/plain; rm tree/soft; touch -d '2022-02-02 02:02:02' tree/plain tree; rsync -aHAXi --delete tree/ copy | sort; "
        "rsync -ac --partial --inplace tree/ copy && list copy", needs=["rsync"])
compare("Tar.XattrsAndSparse", TREE + "tar --xattrs -S -cf a.tar tree && tar tf a.tar | LC_ALL=C sort && mkdir out "
        "&& tar --xattrs -C out -xpSf a.tar && list out/tree; tar -df a.tar; echo $?; "
        "tar --listed-incremental=snap -cf 0.tar tree; echo new > tree/new; "
        "tar --listed-incremental=snap -cf 1.tar tree; tar tf 1.tar | grep -c new")
compare("Zip7.RoundTrip", "cp -r /usr/include/linux l; 7z a -bd -bso0 -mx1 a.7z l && 7z x -bd -bso0 -oo a.7z && "
        "diff -r l o/l; 7z l a.7z | tail -1 | awk '{print $(NF-1)}'", needs=["7z"], timeout=120)
compare("Mkfs.Ext4OnAFile", "truncate -s 16M d; mkfs.ext4 -q -U 11111111-2222-3333-4444-555555555555 -E hash_seed="
        "11111111-2222-3333-4444-555555555555 d; dumpe2fs -h d 2>/dev/null | grep -E 'UUID|Block count|features'; "
        "e2fsck -fn d 2>&1 | tail -1 | cut -d: -f2; debugfs -w -R 'mkdir x' d 2>/dev/null; debugfs -R 'ls' d "
        "2>/dev/null | grep -c lost+found", needs=["mkfs.ext4", "debugfs"])
compare("Inotifywait.SeesOtherProcesses", "mkdir d; (inotifywait -q -m -r --format '%w %e %f' d -e create,"
        "delete,moved_to,moved_from,close_write,attrib > log & echo $! > pid); "
        "for i in $(seq 100); do sleep 0.05; touch d/ready; [ -s log ] && break; done; sleep 0.2; "
        "echo x > d/a; mv d/a d/b; chmod 600 d/b; rm d/b; mkdir d/e; rmdir d/e; sleep 0.5; kill $(cat pid); "
        "grep -v ready log", needs=["inotifywait"])
compare("Flock.OneAfterTheOther", "for i in 1 2 3 4; do flock l sh -c 'read n < c 2>/dev/null; sleep 0.05; "
        "echo $((n+1)) > c' & done; wait; cat c; exec 9> l; flock 9; flock -n l true; echo $?; "
        "flock -w 0.1 l true; echo $?; flock -u 9; flock -n l echo free", needs=["flock"])
compare("Lsof.OpenFiles", "exec 5< /etc/passwd; sleep 9 & lsof -a -p $$ -d 5 -F ftn 2>/dev/null | grep -v ^p; "
        "lsof -t /etc/passwd 2>/dev/null | grep -c $$; kill $!", needs=["lsof"])
compare("Script.RecordsATerminal", "script -qec 'tty | sed s/[0-9]*$/N/; stty size; echo done' log < /dev/null; "
        "grep -c done log", needs=["script"])
compare("Expect.TalksToAShell", "expect -c 'set timeout 20; spawn -noecho sh; expect \"#\"; send \"stty -echo; PS1=\\r\"; "
        "send \"echo \\$((6*7))-x\\r\"; expect \"42-x\" { puts \"got it\" }; send \"exit 3\\r\"; expect eof; "
        "lassign [wait] a b c d; puts $d' | grep -E 'got it|^[0-9]+$'", needs=["expect"])
compare("Tmux.ShellBySendKeys", "export TMUX_TMPDIR=$PWD TERM=xterm; tmux -f /dev/null new-session -d -x 80 -y 24 sh; "
        "tmux send-keys 'echo $((40+2)) > out; tput cols > cols' Enter; for i in $(seq 200); do [ -s cols ] && "
        "break; sleep 0.05; done; cat out cols; tmux list-windows -F '#{window_width}x#{window_height}'; "
        "tmux kill-server", needs=["tmux"])
compare("Procps.EverySource", "ps -eo comm= | grep -c '^ps$'; top -b -n1 -p $$ | tail -1 | awk '{print $NF}'; "
        "free -b | awk '/^Mem/ {print ($2 > 0 && $3 <= $2)}'; vmstat | wc -l; uptime | grep -c 'load average'; "
        "pmap $$ | tail -1 | awk '{print $1}'; ps aux | awk 'NR == 1 {$1 = $1; print}'", needs=["ps", "top", "free"])
compare("Ipcs.MakesAndRemoves", "id=$(ipcmk -M 4096 | awk '{print $NF}'); ipcs -m -i $id | grep -c bytes=4096; "
        "ipcrm -m $id; ipcs -m | grep -c ' 4096 '; id=$(ipcmk -S 3 | awk '{print $NF}'); ipcs -s -i $id | "
        "grep -c nsems; ipcrm -s $id; id=$(ipcmk -Q | awk '{print $NF}'); ipcrm -q $id; echo $?",
        needs=["ipcmk", "ipcs"])

MAKE_DEB = """
mkdir -p p/DEBIAN p/usr/share/redoubt-example
printf 'Package: redoubt-example\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: A <a@example.org>\\nDescription: test\\n' > p/DEBIAN/control
printf '#!/bin/sh\\necho configured\\n' > p/DEBIAN/postinst; chmod 755 p/DEBIAN/postinst
echo content > p/usr/share/redoubt-example/file
dpkg-deb --root-owner-group -b p e.deb > /dev/null
"""


@case("Dpkg.InstallAndRemove", needs=["dpkg", "dpkg-deb"])
def dpkg(t):
    """Only inside: the host is not to be changed. The root is a writable overlay."""
    result = t.sandbox(["sh", "-ec", MAKE_DEB + "dpkg -i e.deb 2>&1 | tail -1; cat /usr/share/redoubt-example/file; "
                        "dpkg -s redoubt-example | grep Status; dpkg -r redoubt-example > /dev/null 2>&1; "
                        "ls /usr/share/redoubt-example 2>&1 | wc -l"], timeout=120)
    t.expect_output(result, b"configured\ncontent\nStatus: install ok installed\n1\n")


@case("Apt.InstallsALocalFile", needs=["apt-get", "dpkg-deb"])
def apt(t):
    result = t.sandbox(["sh", "-ec", MAKE_DEB + "apt-get install -y -q -o APT::Sandbox::User=root "
                        "$PWD/e.deb > log 2>&1 || tail -5 log; cat /usr/share/redoubt-example/file"], timeout=120)
    t.expect_output(result, b"content\n")


POSTGRES = """
set -e
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
id -u postgres > /dev/null
mkdir data socket; chown postgres data socket; chmod 700 data; chmod 755 . ..
run() { setpriv --reuid=postgres --regid=postgres --clear-groups --reset-env "$@"; }
run $bin/initdb -D data -A trust --no-sync > initdb.log 2>&1 || { tail -3 initdb.log; exit 1; }
run $bin/pg_ctl -D data -w -t 60 -o "-k $PWD/socket -c listen_addresses=" -l socket/log start > /dev/null
run $bin/pgbench -h $PWD/socket -i -q postgres > /dev/null 2>&1
run $bin/pgbench -h $PWD/socket -c 4 -j 2 -t 50 postgres | grep 'actually processed'
run $bin/psql -h $PWD/socket -Atc 'select count(*), sum(abalance) = (select sum(delta) from pgbench_history) from pgbench_accounts' postgres
run $bin/pg_ctl -D data -m fast stop > /dev/null
grep -c 'database system is shut down' socket/log
"""
compare("Postgres.InitAndPgbench", POSTGRES, needs=["setpriv", "psql", "pgbench"], timeout=180)

harness.main()
