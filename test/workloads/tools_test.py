#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Text processors, compressors and a database."""
import harness
from harness import compare

compare("Sqlite.ThousandInserts", "for i in $(seq 1000); do echo \"insert into t values($i, 'row $i');\""
        "; done > rows; sqlite3 d.db 'create table t(a integer primary key, b)' && "
        "(echo 'pragma synchronous=off;'; cat rows) | sqlite3 d.db && sqlite3 d.db "
        "'select count(*), sum(a) from t; pragma integrity_check;' && stat -c %s d.db",
        needs=["sqlite3"], timeout=120)
compare("Sqlite.TransactionsAndIndex", "sqlite3 d.db \"create table t(a, b); begin; with recursive "
        "c(x) as (select 1 union all select x + 1 from c where x < 20000) insert into t select x, "
        "hex(x * 7919) from c; commit; create index i on t(b); select count(*) from t where b > '5'; "
        "begin; delete from t; rollback; select count(*) from t; vacuum;\"; "
        "sqlite3 d.db .dump | sha256sum; sqlite3 d.db 'bad sql' 2>&1; echo $?", needs=["sqlite3"])
compare("Sqlite.TwoWriters", "sqlite3 d.db 'create table t(a)'; for w in 1 2; do for i in $(seq 20); "
        "do sqlite3 -cmd '.timeout 20000' d.db \"insert into t values($i)\"; done & done; wait; "
        "sqlite3 d.db 'select count(*), sum(a) from t'", needs=["sqlite3"])

compare("Perl.OneLiners", "perl -e 'print join(\",\", map { $_ ** 2 } 1..10), \"\\n\"'; "
        "perl -ne 'print if /^root/' /etc/passwd; perl -F: -lane '$s += $F[2]; END { print $s }' "
        "/etc/passwd; seq 5 > f; perl -pi.bak -e 's/3/three/' f; cat f f.bak; perl -MPOSIX -e "
        "'print floor(3.7), strftime(\"%Y\", gmtime(0)), \"\\n\"'", needs=["perl"])
compare("Perl.ProcessesAndPipes", "perl -e 'use strict; my @p; for my $i (1..5) { my $p = fork; "
        "exit $i unless $p; push @p, $p } for (@p) { waitpid $_, 0; print $? >> 8, \"\\n\" } "
        "open my $f, \"-|\", \"seq 100\"; my $s = 0; $s += $_ while <$f>; close $f; print \"$s\\n\"; "
        "$SIG{ALRM} = sub { print \"alarm\\n\"; exit 4 }; alarm 1; sleep 5; sleep 5'",
        needs=["perl"], status=4)
compare("Perl.Modules", "perl -MDigest::SHA=sha256_hex -MData::Dumper -MFile::Find -MSocket "
        "-MTime::HiRes -e 'my $n = 0; find(sub { $n++ }, \"/usr/share/perl\"); print $n > 10, "
        "sha256_hex(\"x\"), Dumper([1, {a => 2}])'", needs=["perl"])
compare("Awk.OneLiners", "awk -F: '{ n[$7]++ } END { for (s in n) print n[s], s }' /etc/passwd | sort; "
        "seq 100000 | awk '{ s += $1 * $1 } END { printf \"%d\\n\", s }'; awk 'BEGIN { \"echo in\" | "
        "getline x; print x; print \"b\\na\" | \"sort\"; close(\"sort\"); system(\"exit 3\"); "
        "printf \"%.3f\\n\", atan2(0, -1) }'")
compare("Sed.OneLiners", "seq 20 | sed -n '5,8p;$='; echo hello | sed 's/l*o$/p/;y/e/a/'; seq 9 > f; "
        "sed -i '/[36]/d' f; tr '\\n' ' ' < f; sed -e '1!G;h;$!d' f; sed -n 'w out' f; wc -l < out; "
        "sed 's/x/' 2>&1; echo $?")
compare("Bc.Arithmetic", "echo '2^200; scale=20; 4*a(1)' | bc -l", needs=["bc"])

MIB32 = "seq 5000000 | head -c 32M > f; sha256sum < f; "
compare("Gzip.RoundTrip32MiB", MIB32 + "gzip -1 -k f && gzip -t f.gz && gzip -dc f.gz | sha256sum; "
        "gzip -l f.gz | tail -1; rm f; gunzip f.gz; sha256sum < f; zcat /nosuch 2>&1; echo $?",
        timeout=120)
compare("Xz.RoundTrip32MiB", MIB32 + "xz -0 -T2 -k f && xz -dc f.xz | sha256sum; xz -l --robot f.xz "
        "| grep -c totals; head -c 1000 f.xz | xz -dc 2>&1 > /dev/null | wc -l", needs=["xz"],
        timeout=120)
compare("Bzip2.RoundTrip", "seq 200000 > f; bzip2 -k f; bunzip2 -c f.bz2 | cmp - f; echo $?",
        needs=["bzip2"])
compare("Tar.Compressed", "tar czf a.tgz -C /usr/include linux && mkdir o && tar xzf a.tgz -C o && "
        "diff -r /usr/include/linux o/linux && tar tzf a.tgz | wc -l")
compare("Zip.RoundTrip", "cp -r /usr/include/linux l; zip -qr a.zip l && unzip -qo a.zip -d o && "
        "diff -r l o/l; unzip -l a.zip | tail -1 | awk '{print $2}'", needs=["zip", "unzip"])
compare("Openssl.Digests", "openssl dgst -sha256 /etc/passwd; echo secret | openssl enc -aes-256-cbc "
        "-pbkdf2 -k key -S 0102030405060708 | openssl enc -d -aes-256-cbc -pbkdf2 -k key "
        "-S 0102030405060708; openssl rand 32 | wc -c; openssl genrsa 1024 2>/dev/null | head -1",
        needs=["openssl"])
compare("Rsync.LocalTree", "rsync -a /usr/include/linux/ l && diff -r /usr/include/linux l; "
        "rsync -ai --delete /usr/include/linux/ l | wc -l", needs=["rsync"])
compare("Less.NotATerminal", "seq 3 | less; man -w ls > /dev/null 2>&1; seq 4 | more", needs=["less"])
compare("Procps.OwnProcesses", "sleep 5 & ps -o comm= -p $!; pgrep -P $$ sleep | wc -l; kill $!; "
        "wait $! 2>/dev/null; echo $?; ps -p 999999 > /dev/null; echo $?", needs=["ps", "pgrep"])

harness.main()
