#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""git over a tree of 500 files."""
import harness
from harness import compare

NEEDS = ["git"]
ENV = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
       (("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "2024-01-01T00:00:00Z"))}
ENV["GIT_CONFIG_NOSYSTEM"] = "1"
# Objects are named by content, so every hash that is printed must be the same.
MAKE_TREE = """
git init -q -b main tree && cd tree
for d in $(seq 20); do mkdir -p dir$d/sub; for f in $(seq 25); do
echo "file $d $f" > dir$d/sub/file$f; done; done
chmod +x dir1/sub/file1; ln -s dir1 link
git add . && git commit -q -m 'first commit'
"""


def git(name, script, **more):
    compare(name, MAKE_TREE + script, needs=NEEDS, env=ENV, **more)


git("Git.AddCommitLog", "git log --stat --format='%H %an %s' | tail -3; git rev-parse HEAD; "
    "git status --porcelain | wc -l; git ls-files | wc -l; git ls-tree HEAD dir1/sub/file1 link")
git("Git.Clone", "cd ..; git clone -q tree copy && cd copy && git log --format=%H && git ls-files | "
    "wc -l && diff -r --no-dereference -x .git . ../tree && git fsck 2>&1 | tail -1")
git("Git.DiffAndStatus", "echo more >> dir2/sub/file3; rm dir3/sub/file4; echo new > new; "
    "git status --porcelain; git diff; git add -A; git commit -q -m second; git show --stat "
    "--format='%H %s'; git blame dir2/sub/file3 | wc -l; git diff HEAD~ --shortstat")
git("Git.BranchesAndMerge", "git switch -q -c side; echo side > s; git add s; git commit -q -m side; "
    "git switch -q main; echo main > m; git add m; git commit -q -m main; git merge -q -m merged "
    "side; git log --graph --oneline; git branch; ls m s; git switch -q -c third HEAD~; "
    "git rebase -q main; git log --format=%s | head -2")
git("Git.RepackAndGc", "git gc -q --prune=now; git count-objects -v | grep -E 'count|packs'; "
    "git fsck --full 2>&1 | tail -1; git cat-file -p HEAD | head -1; git log --format=%H")
git("Git.StashTagArchive", "echo x >> dir1/sub/file2; git stash -q; git status -s; git stash pop -q; "
    "git status -s; git tag -a v1 -m v1; git describe; git archive HEAD dir1 | tar t | wc -l; "
    "git grep -c 'file 7 7' | head -3; git bundle create -q b HEAD && git bundle verify -q b; echo $?")
git("Git.HooksAndWorktree", "printf '#!/bin/sh\\necho hook ran\\n' > .git/hooks/pre-commit; "
    "chmod +x .git/hooks/pre-commit; echo y > y; git add y; git commit -q -m y 2>&1; "
    "git worktree add -q ../wt HEAD 2>&1; ls ../wt | wc -l; git reset -q --hard HEAD~; ls y 2>&1; "
    "git config --get core.bare; git log nosuch 2>&1 | head -1")

harness.main()
