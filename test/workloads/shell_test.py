#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Shell scripts: forks, pipes, jobs, traps."""
import harness
from harness import compare

compare("Sh.True", ["true"])
compare("Sh.False", ["false"], status=1)
compare("Sh.Exit7", ["sh", "-c", "exit 7"], status=7)

compare("Bash.Pipeline", "seq 1000 | grep 7 | sort -rn | head -20 | tac | md5sum")
compare("Bash.PipeStatus", "false | true | (exit 3) | true; echo ${PIPESTATUS[@]}")
compare("Bash.PipeFail", "set -o pipefail; true | (exit 4) | true", status=4)
compare("Bash.BrokenPipe", "yes | head -1; echo ${PIPESTATUS[@]}")
compare("Bash.HereDocument", r"""
name=world
cat <<END
hello $name $(echo nested) $((6*7))
END
cat <<'END'
raw $name
END
tr a-z A-Z <<< "here string"
""")
compare("Bash.LargeHereDocument", r"""
eval "cat <<END | sha256sum
$(seq 50000)
END"
""")
compare("Bash.CommandSubstitution", "a=$(echo $(echo $(echo deep))); echo \"[$a]\" `echo old`; "
        "x=$(false); echo $?; n=$(seq 100000); echo ${#n}")
compare("Bash.BackgroundJobsAndWait", r"""
for i in 1 2 3 4 5; do (sleep 0.0$i; exit $i) & pids[$i]=$!; done
for i in 5 3 1 2 4; do wait ${pids[$i]}; echo "job $i: $?"; done
wait; echo all: $?
""")
compare("Bash.WaitAny", "(exit 9) & wait -n; echo $?; wait -n; echo $?")
compare("Bash.JobsRunTogether", r"""
for i in 1 2 3 4 5 6 7 8; do
  (echo start >> started; until [ -e go ]; do sleep 0.05; done; exit $i) & pids+=($!)
done
until [ $(wc -l < started) = 8 ] 2>/dev/null; do sleep 0.05; done
touch go
for p in ${pids[@]}; do wait $p; echo $?; done
""")
compare("Bash.ExitTrap", "trap 'echo bye; exit 5' EXIT; echo working; exit 2", status=5)
compare("Bash.SignalTraps", r"""
for s in HUP INT QUIT TERM USR1 USR2 WINCH; do trap "echo got $s" $s; kill -$s $$; done
trap '' TERM; kill -TERM $$; echo ignored
trap - USR1; kill -USR1 $$; echo not reached
""", status=128 + 10)
compare("Bash.ChildTrap", "trap 'echo child' CHLD; set -m; sleep 0.01 & wait; echo end")
compare("Bash.TrapWhileWaiting", r"""
trap 'echo interrupted' USR1
(sleep 0.2; kill -USR1 $$; sleep 0.2) &
wait $!; echo $?
""")
compare("Bash.KilledBySignal", "kill -9 $$", status=137)
compare("Bash.KilledChildren", "for s in TERM KILL SEGV ABRT PIPE ALRM; do "
        "sh -c 'kill -'$s' $$'; echo $s $?; done 2>/dev/null")
compare("Bash.TwoHundredForks", "for i in $(seq 200); do (exit $((i % 7))); n=$((n + $?)); done; "
        "echo $n", timeout=60)
compare("Bash.TwoHundredExecs", "for i in $(seq 200); do /bin/true || echo no; done; echo ok")
compare("Bash.DeepSubshells", "f() { if [ $1 -gt 0 ]; then (f $(($1 - 1))); else echo deep; fi; }; "
        "f 40")
compare("Bash.Arrays", r"""
a=(one two "three four"); a+=(five); echo "${#a[@]}" "${a[2]}" "${a[@]:1:2}"
declare -A m=([x]=1 [y]=2); m[z]=3
for k in $(printf '%s\n' "${!m[@]}" | sort); do echo "$k=${m[$k]}"; done
mapfile -t lines < <(seq 5); echo "${lines[*]}"
""")
compare("Bash.ReadLoop", r"""
seq 2000 | while read -r n; do sum=$((sum + n)); [ $n = 2000 ] && echo $sum; done
while IFS=: read -r user _ uid _; do echo "$user=$uid"; done < /etc/passwd
printf 'a b\nc d\n' | { read -r x y; read -r z; echo "$y $x $z"; }
""")
compare("Bash.ReadTimeout", "read -t 0.1 x < <(sleep 2); echo $?", status=0)
compare("Bash.ProcessSubstitution", "diff <(seq 10) <(seq 2 11); echo $?; "
        "tee >(wc -c > n) < /etc/passwd | wc -l; sleep 0.2; cat n")
compare("Bash.DescriptorPaths", "echo a > f; exec 7< f; cat /dev/fd/7; echo x | cat /dev/stdin; "
        "(echo y > /dev/stdout) | cat; (echo z > /dev/fd/2) 2>&1 | cat; ls /dev/fd | head -3 | wc -l")
compare("Bash.Redirections", r"""
exec 3> out; echo three >&3; exec 3>&-; echo more >> out; cat out
{ echo o; echo e >&2; } 2>&1 | sort; ls /nosuch 2> err || wc -l < err
exec 5<> rw; echo hello >&5; exec 5>&-; cat rw
set -C; echo clobber > out || echo refused
""")
compare("Bash.Coprocess", 'coproc tr a-z A-Z; echo hello >&"${COPROC[1]}"; '
        'exec {COPROC[1]}>&-; cat <&"${COPROC[0]}"')
compare("Bash.Globs", "mkdir -p d/{a,b,c}; touch d/{a,b,c}/{1,2,3}.txt; echo d/*/[12].txt; "
        "shopt -s globstar; echo **/3.txt")
compare("Bash.Errors", "nosuchcommand; echo $?; /etc; echo $?; /etc/passwd; echo $?; cd /nosuch; "
        "echo $?; cat < /nosuch; echo $?; echo x > /etc/nosuch/x; echo $?", stderr=True)
compare("Bash.UlimitAndUmask", "ulimit -n 100; ulimit -n; umask 077; touch f; stat -c %a f; umask")
compare("Bash.Times", "TIMEFORMAT=; time true; SECONDS=5; echo $SECONDS; printf '%(%Y)T\\n' 0")
compare("Bash.KillProcessGroup", r"""
set -m
(trap '' HUP; sleep 30 & sleep 30 & wait) &
sleep 0.2; kill -TERM -- -$!; wait $!; echo $?
""")
compare("Bash.StopAndContinue", r"""
sleep 0.5 & p=$!
kill -STOP $p; sleep 0.1; grep -o 'State:.*T' /proc/$p/status | tr -d '\t'
kill -CONT $p; wait $p; echo $?
""")
compare("Bash.Getopts", 'set -- -a -b val rest; while getopts ab: o; do echo "$o ${OPTARG-}"; done; '
        'shift $((OPTIND-1)); echo "$@"')
compare("Dash.Script", ["dash", "-c", "for i in 1 2 3; do echo $i; done | while read x; do "
                        "echo \"<$x>\"; done; set -- a b; echo $#; (exit 3); echo $?"])

harness.main()
