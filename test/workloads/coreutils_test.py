#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The file tools every system has, over large trees and large files."""
import harness
from harness import compare

compare("Find.DocTree", "find /usr/share/doc -type f | sort | sha256sum")
compare("Find.EtcWithAttributes",
        r"find /etc -xdev -printf '%p %y %m %U %G %s %l\n' | sort | sha256sum")
compare("Find.Exec", "mkdir -p a/b; touch a/1.c a/b/2.c a/b/3.h; find a -name '*.c' -exec echo {} + "
        "| tr ' ' '\\n' | sort; find a -type f -exec sh -c 'echo $1' _ {} \\; | sort")
compare("Find.Delete", "mkdir -p a/b/c; touch a/b/c/{1..50}; find a -depth -delete; ls -A")
compare("Ls.LongEtc", "ls -lR /etc | sha256sum")
compare("Ls.Sorted", "ls -la --full-time /usr/bin | sha256sum; ls -t /usr/share | head -50")
compare("Ls.Inodes", "ls -i /etc/passwd | grep -c '^[0-9]'; ls -lad / /tmp /etc /usr | cut -c1-10")
compare("Tar.UsrInclude", "tar c /usr/include 2>/dev/null | tar t | wc -l")
compare("Tar.RoundTrip", "mkdir in out; cp -r /usr/include/linux in; ln -s x in/link; "
        "ln in/linux/fs.h in/hard; tar cf - in | tar xf - -C out; diff -r in/linux out/in/linux && "
        "readlink out/in/link && stat -c %h out/in/hard")
compare("Dd.SixtyFourMiB", "dd if=/dev/zero of=f bs=1M count=64 status=none; stat -c '%s' f; "
        "sha256sum f; dd if=f of=g bs=64k skip=3 seek=5 count=9 status=none; sha256sum g")
compare("Dd.Pattern", "seq 3000000 | head -c 16M > f; dd if=f bs=4k status=none | sha256sum; "
        "dd if=f of=f bs=1 seek=100 count=10 conv=notrunc status=none; sha256sum f; "
        "tail -c 100 f | sha256sum")
compare("Dd.SparseFile", "dd if=/dev/zero of=f bs=1 count=1 seek=1G status=none; stat -c %s f; "
        "[ $(du -k f | cut -f1) -lt 1024 ] && echo sparse; truncate -s 10 f; wc -c < f")
compare("Sort.MillionLines", "seq 1000000 | shuf --random-source=<(yes) | sort -n | sha256sum; "
        "seq 1000000 | sort -r -S 8M --parallel=2 -T . | sha256sum", timeout=90)
compare("Sort.Unique", "seq 200000 | awk '{print $1 % 1000}' | sort | uniq -c | sort -rn | head -5")
compare("Xargs.FourAtOnce", "seq 200 | xargs -P4 -n5 sh -c 'echo $(($1 + $5))' _ | sort -n")
compare("Xargs.ExitStatus", "echo 1 | xargs -I{} sh -c 'exit {}'; echo $?; "
        "echo x | xargs nosuchcmd 2>/dev/null; echo $?")
compare("Cp.TreeWithAttributes", "cp -a /usr/include/x86_64-linux-gnu tree; "
        "diff -r /usr/include/x86_64-linux-gnu tree && find tree -printf '%P %y %m %T@ %s\\n' "
        "| sed 's/ d \\(.*\\) [0-9]*$/ d \\1/' | sort | sha256sum")
compare("Cp.SparseAndReflink", "truncate -s 5M s; echo end >> s; cp --sparse=always s t; cmp s t; "
        "cp --reflink=auto t u; cmp t u; cp -u u t; cp -l t hard; stat -c %h hard")
compare("Mv.Rename", "mkdir a b; echo 1 > a/f; mv a/f b/g; mv b c; cat c/g; mv -n c/g a/; "
        "mv a/g a/h; ls a c; mkdir -p x/y; mv x a; find . | sort; mv a a/x 2>&1; echo $?")
compare("Mv.AcrossMounts", "echo data > f; mv f /dev/shm/redoubt-f && cat /dev/shm/redoubt-f; "
        "mv /dev/shm/redoubt-f g; cat g")
compare("Ln.HardAndSymbolic", "echo x > f; ln f g; ln -s f s; ln -s nosuch dangling; "
        "stat -c '%h %F' f g s; readlink -f s | xargs basename; cat s; cat dangling 2>&1; rm f; "
        "cat g; ln -sfn g s; cat s; ln g g 2>&1; ln . d 2>&1; stat -c %h g")
compare("Touch.Dates", "touch -d '2001-02-03 04:05:06.789' f; stat -c '%y %Y' f; "
        "touch -r f g; stat -c %y g; touch -a -d @1000000000 f; stat -c '%X %Y' f; "
        "[ f -ot /etc/passwd ] && echo older; touch -m -d 1999-12-31 d 2>&1; stat -c %Y d")
compare("Stat.Formats", "stat -c '%n %a %A %F %u %g %U %G %s %h %t %T %o' /etc/passwd /dev/null "
        "/dev/zero; stat -L -c '%F %s' /bin/sh; stat /nosuch 2>&1; echo $?")
compare("Stat.ChmodChown", "touch f; chmod 4711 f; stat -c %a f; chmod u-s,go=r f; stat -c %a f; "
        "chown 12:34 f; stat -c '%u %g' f; mkdir d; chmod 1777 d; stat -c %A d; "
        "install -m 640 -o 5 -g 6 /etc/passwd i; stat -c '%a %u %g' i")
compare("Du.Runs", "mkdir -p a/b; seq 20000 > a/b/f; du -s --apparent-size -B1 a/b/f | cut -f1; "
        "du -a a | wc -l; du -sh a > /dev/null; echo $?")
compare("Df.Runs", "df > /dev/null; echo $?; df -P . | wc -l; df -i / > /dev/null; echo $?; "
        "stat -f -c '%l' / > /dev/null; echo $?")
compare("Tail.FollowEndedByKill", r"""
echo first > log; tail -f log > seen & p=$!
sleep 0.4; echo second >> log; echo third >> log
for i in $(seq 50); do [ $(wc -l < seen) = 3 ] && break; sleep 0.1; done
kill $p; wait $p; echo $?; cat seen
""")
compare("Tail.FollowPid", "echo a > log; sleep 0.3 & tail -f --pid=$! -s 0.1 log; echo ended")
compare("Tee.SeveralFiles", "seq 5 | tee a b > /dev/null; seq 5 | tee -a b > c; cat a b c | md5sum; wc -l a b c")
compare("Timeout.Ends", "timeout 0.2 sleep 10; echo $?; timeout -s KILL 0.2 sleep 10; echo $?; "
        "timeout 5 true; echo $?; timeout 5 sh -c 'exit 3'; echo $?; timeout -k 0.2 0.2 "
        "sh -c 'trap \"\" TERM; sleep 1; sleep 1'; echo $?")
compare("Split.AndCat", "seq 100000 > f; split -n 7 -d f part; cat part* | cmp - f; ls part* | wc -l; "
        "split -l 30000 f l.; wc -l l.* | tail -1; csplit -s f 50000; wc -l xx*")
compare("Rm.Trees", "mkdir -p a/{1..20}/{x,y,z}; touch a/{1..20}/{x,y,z}/f; rm -r a; ls -A | wc -l; "
        "mkdir d; rm d 2>&1; rmdir d; rm -f nosuch; echo $?; rm nosuch 2>&1; echo $?; "
        "mkdir -p e/f; rmdir e 2>&1; echo $?")
compare("Rm.LastComponentDot", "mkdir d; rmdir d/. 2>&1; rm -r d/.. 2>&1; echo $?")
compare("Mkfifo.Transfer", "mkfifo p; seq 100000 > p & sha256sum < p; wait; stat -c %F p; rm p")
compare("Mktemp.Unique", "d=$(mktemp -d); stat -c %a $d; f=$(mktemp -p $d); stat -c '%a %s' $f; "
        "rm -r $d; ls -d $d 2>/dev/null; echo $?")
compare("Text.Tools", "cut -d: -f1,7 /etc/passwd | sort | paste -sd, ; nl /etc/hostname | wc -l; "
        "seq 20 | paste - - - - | column -t; seq 9 | shuf -n3 --random-source=/etc/passwd; "
        "comm -12 <(seq 5 9) <(seq 7 9); join <(seq 3) <(seq 2 4); fold -w 10 <<< 12345678901234; "
        "expand <<< $'a\\tb'; od -c <<< hello; tac <<< $'1\\n2'; rev <<< abc; factor 1234567890; "
        "base64 <<< hi; cksum /etc/passwd; numfmt --to=iec 1048576; tsort <<< 'a b b c'")
compare("Wc.BigFiles", "cat /usr/include/*.h | wc; wc -c /bin/bash | cut -d' ' -f1")
compare("Grep.Recursive", "grep -rl stdio.h /usr/include 2>/dev/null | sort | sha256sum; "
        "grep -c . /etc/passwd; grep nosuch /etc/passwd; echo $?")
compare("Cmp.Checksums", "for s in md5sum sha1sum sha512sum b2sum; do $s /bin/bash; done")
compare("Env.Tools", "env -i A=1 B=2 env | sort; env -u HOME sh -c 'echo ${HOME-unset}'; "
        "printenv LANG; nice -n 3 nice; nohup echo x 2>/dev/null; id -u; id -g; whoami; "
        "basename /a/b.c .c; pwd -P; uname -sm; nproc --all > /dev/null; arch")
compare("Date.Fixed", "date -u -d @86400 +%F; date -d '2024-02-29 +1 year' +%F; "
        "[ $(date +%s) -gt 1700000000 ] && echo now; TZ=Asia/Tokyo date -d @0 +%H")
compare("Sync.AndFlush", "echo x > f; sync f; sync -f f; sync; cat f; dd if=/dev/zero of=g bs=4k "
        "count=4 oflag=dsync status=none; fallocate -l 1M h; stat -c %s h; cat h | wc -c")
compare("Flock.Excludes", r"""
exec 9> lock; flock 9; flock -n lock echo no; echo $?
(exec 9>&-; flock lock echo after) & sleep 0.2; echo before; flock -u 9; wait
""", needs=["flock"])
compare("Devices.Basics", "head -c 5 /dev/zero | od -An -tx1; echo x > /dev/null; cat /dev/null; "
        "echo x 2>&1 > /dev/full; echo $?; head -c 1000 /dev/urandom | wc -c; "
        "head -c 16 /dev/random | wc -c; test -c /dev/tty; echo $?; ls -d /dev/pts /dev/shm")

harness.main()
