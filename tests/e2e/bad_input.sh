#!/usr/bin/env bash
# Bad input through a running server: manifests, request bodies, templates and plugins that are
# broken, huge, deep, or try to escape their folder. Each is refused with an error that names the place;
# nothing of it is made, no answer shows anything of this machine, and the server keeps running within its
# memory.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../support/world.sh
. "$(dirname "$0")/../support/world.sh"
: "${ATELIER_TEST_KUBECTL:?a kubectl}"

begin_world
cd "$WORLD"
start_server --docker off
at_rest=$(server_rss)

head_of() { printf 'apiVersion: atelier.dev/v1alpha1\nkind: %s\nmetadata: {name: %s}\n' "$1" "$2"; }
refused() { # refused FILE WORDS...: by atelier with these words, and by kubectl in its own
  local file=$1
  shift
  if atelier apply -f "$file" >"$file.out" 2>&1; then die "atelier applied $file"; fi
  says "$file.out" "$@"
  if "$KUBECTL" apply -f "$file" >"$file.kubectl" 2>&1; then die "kubectl applied $file"; fi
  if grep -q "$WORLD/home" "$file.out" "$file.kubectl"; then die "an answer shows a path of the server: $file"; fi
}

note "manifests"
printf 'apiVersion: atelier.dev/v1alpha1\nkind: Workspace\nmetadata: {name: a\nspec: {role: [}\n' >malformed.yaml
refused malformed.yaml "malformed.yaml:4:5: a { without its }"
{ head_of Workspace huge; python3 -c 'print("spec: {role: \"" + "x" * 30_000_000 + "\"}")'; } >huge.yaml
refused huge.yaml "huge.yaml: " "bytes of YAML; at most 3145728 are read"
{ head_of Workspace deep; python3 -c 'print("spec: " + "{a: " * 100_000 + "}" * 100_000)'; } >deep.yaml
refused deep.yaml "deep.yaml:4:" "nested deeper than 60 levels"
bomb() { python3 -c '
print("x0: &x0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]")
for i in range(1, 10): print(f"x{i}: &x{i} [" + ", ".join([f"*x{i - 1}"] * 9) + "]")'; }
{ head_of Workspace bomb; bomb; } >bomb.yaml
refused bomb.yaml "bomb.yaml:" "more than 200000 values, aliases expanded"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: "\xff\xfe"}\n' >bytes.yaml
if atelier apply -f bytes.yaml 2>bytes.out; then die "applied what is not UTF-8"; fi
says bytes.out "bytes.yaml:4:12: not UTF-8"
{ head_of Workspace unknown; printf 'spec:\n  role: tester\n  modle: opus\n'; } >unknown.yaml
refused unknown.yaml 'unknown.yaml:6: Workspace "unknown": spec.modle: unknown field'
{ head_of Workspace types; printf 'spec:\n  role: [1]\n  plugins: p\n  desiredState: Flying\n'; } >types.yaml
refused types.yaml "types.yaml:5:" "spec.role in body must be of type string" "types.yaml:6:" "types.yaml:7:"
{ head_of Workspace ../../x; echo 'spec: {role: tester}'; } >name.yaml
refused name.yaml 'name.yaml:3: Workspace "../../x": metadata.name:' "a name may not be"
{ head_of Workspace file; echo 'spec: {role: tester, files: [{path: ../../x, content: a}]}'; } >file.yaml
refused file.yaml "file.yaml:4:" "spec.files[0].path" "must be relative"
{ head_of Workspace plugin; echo 'spec: {role: tester, plugins: [../x]}'; } >plugin.yaml
refused plugin.yaml "plugin.yaml:4:" "spec.plugins[0]"
for ref in "main; rm -rf /" "--upload-pack=x" "-uploadpack" "a..b" "main@{1}" "/main"; do
  {
    head_of OrgTemplate ref
    echo "spec: {source: {git: {url: \"http://127.0.0.1:1/x.git\", ref: \"$ref\"}}}"
    echo ---
    head_of Plugin ref
    echo "spec: {source: \"git+http://127.0.0.1:1/x.git#$ref\"}"
    echo ---
    head_of Plugin track
    echo "spec: {source: \"git+http://127.0.0.1:1/x.git#main\", track: \"branch:$ref\"}"
  } >ref.yaml
  refused ref.yaml "ref.yaml:4: OrgTemplate \"ref\": spec.source.git.ref:" "Plugin \"ref\": spec.source:" \
    "Plugin \"track\": spec.track:"
done
for url in "ssh://h/r.git" "file:///etc" "http://user:pass@h/r.git" "http://h/../r.git"; do
  { head_of OrgTemplate url; echo "spec: {source: {git: {url: \"$url\"}}}"; } >url.yaml
  refused url.yaml "url.yaml:4:" "spec.source.git.url"
done
{ head_of Workspace good; echo 'spec: {role: tester, suspend: true}'; } >good.yaml
mkdir both && cp good.yaml malformed.yaml both
if atelier apply -f both >both.out 2>&1; then die "half of a folder was applied"; fi
says both.out "nothing was applied"
[ "$(atelier get workspaces,orgtemplates,plugins -o name 2>/dev/null)" = "" ] || die "something was made"

note "request bodies"
answer() { # answer CODE CURL_ARGUMENTS...: to a POST of a Workspace
  local code=$1
  shift
  api "/apis/atelier.dev/v1alpha1/namespaces/default/workspaces?fieldValidation=Strict" -X POST \
    -o answer -w '%{http_code}' "$@" >code
  [ "$(cat code)" = "$code" ] || { cat answer >&2; die "the answer is $(cat code), not $code: $*"; }
  jq -e '.kind == "Status"' answer >/dev/null || die "not a Status"
}
json='Content-Type: application/json' yaml='Content-Type: application/yaml'
answer 400 -H "$json" --data-binary $'{"kind":"Workspace","metadata":{"name":"\xff"}}'
answer 400 -H "$json" --data-binary '{'
answer 400 -H "$json" --data-binary "$(python3 -c 'print("{\"a\":" * 20_000 + "1" + "}" * 20_000)')"
answer 400 -H "$yaml" --data-binary @bytes.yaml
answer 400 -H "$yaml" --data-binary @malformed.yaml
answer 413 -H "$yaml" --data-binary @huge.yaml
answer 413 -H "$yaml" --data-binary @deep.yaml
answer 413 -H "$yaml" --data-binary @bomb.yaml
answer 422 -H "$yaml" --data-binary @types.yaml
answer 415 -H 'Content-Type: text/plain' --data-binary hello

note "templates and plugins"
start_git_server
template() { mkdir -p "src/$1" && cat >"src/$1/org.yaml"; }
template malformed <<<$'name: x\nworkspaces:\n- name: a\n  role: ['
template types <<<$'name: [x]\nworkspaces:\n- {name: a, role: {a: b}, plugins: 3}'
template paths <<<$'name: x\nworkspaces:\n- name: a\n  key: ../../x\n  files_dir: ../../etc\n  plugins: [../x]'
template include <<<$'name: x\nworkspaces:\n- !include ../../../etc/passwd\n- !include /etc/passwd'
template external <<'YAML'
name: x
workspaces:
- !external {repo: o/r, ref: "main; rm -rf /", path: a.yaml}
- !external {repo: o/r, ref: "--upload-pack=x", path: a.yaml}
- !external {repo: o/r, ref: main, path: ../../etc/passwd}
- !external {repo: ../o, ref: main, path: a.yaml}
- !external {repo: o/r, ref: main, path: a.yaml}
YAML
template deep < <(python3 -c 'print("name: x\nworkspaces: " + "[" * 100_000)')
template bomb < <(echo "name: x"; bomb)
template bytes <<<$'name: \xff'
template huge < <(python3 -c 'print("name: x\nworkspaces:\n- {name: a, initial_prompt: \"" + "x" * 30_000_000 + "\"}")')
template many < <(echo "name: x"; echo "workspaces:"; seq -f '- {name: w%g}' 100000)
template wide < <(python3 -c 'print("name: x\nworkspaces:\n- name: a\n  plugins:")
for i in range(9): print("  - \"" + "ä漢" * 300 + f"{i}\"")')
template links <<<$'name: x\nworkspaces:\n- {name: a, files_dir: absolute}\n- {name: b, files_dir: within}'
ln -s /etc src/links/absolute && mkdir src/links/within && ln -s ../../../../etc/passwd src/links/within/p
template unknown <<<$'name: x\nworkspaces:\n- {name: a, modle: opus}'
for name in src/*; do
  name=${name#src/}
  make_remote "$name" "$WORLD/src/$name"
  push "$name" first >/dev/null 2>&1
  head_of OrgTemplate "$name"
  echo "spec: {interval: 1h, source: {git: {url: \"http://127.0.0.1:$GIT_PORT/$name.git\", ref: main}}}"
  echo ---
done >templates.yaml
# A tree with names that git's own commands would not make.
python3 - "$WORLD/git/dots.git" <<'PYTHON'
import subprocess, sys
repository = sys.argv[1]
subprocess.run(["git", "init", "-q", "--bare", "-b", "main", repository], check=True)
def git(*arguments, given=b""):
    done = subprocess.run(["git", "-C", repository, "-c", "user.name=t", "-c", "user.email=t@example.invalid",
                           *arguments], input=given, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().strip()
def tree(*entries):
    return git("hash-object", "-t", "tree", "-w", "--stdin", "--literally",
               given=b"".join(mode + b" " + name + b"\0" + bytes.fromhex(id) for mode, name, id in entries))
good = git("hash-object", "-w", "--stdin", given=b"name: x\nworkspaces:\n- {name: a}\n")
inner = tree((b"100644", b"escaped", good))
top = tree((b"40000", b"..", inner), (b"100644", b"../../escaped", good), (b"40000", b".git", inner),
           (b"100644", b"org.yaml", good))
git("update-ref", "refs/heads/main", git("commit-tree", top, "-m", "x"))
PYTHON
templates=home/org-templates plugins=home/plugins
mkdir -p $templates/{pipe/f,pipe-itself,device/f} $plugins/{pipe,links,device,socket}
printf 'name: x\nworkspaces:\n- {name: a, files_dir: f}\n' | tee $templates/pipe/org.yaml >$templates/device/org.yaml
mkfifo $templates/pipe/f/pipe $templates/pipe-itself/org.yaml $plugins/pipe/pipe
mknod $templates/device/f/zero c 1 5 && mknod $plugins/device/zero c 1 5
echo >$templates/file
for name in pipe links device socket; do echo "name: $name" >$plugins/$name/plugin.yaml; done
ln -s ../../token $plugins/links/token
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' $plugins/socket/socket
{
  head_of OrgTemplate dots
  echo "spec: {interval: 1h, source: {git: {url: \"http://127.0.0.1:$GIT_PORT/dots.git\", ref: main}}}"
  for name in pipe pipe-itself device file nowhere; do
    echo ---
    head_of OrgTemplate "local-$name"
    echo "spec: {interval: 1h, source: {directory: $name}}"
  done
  for name in pipe links device socket nowhere; do
    echo ---
    head_of Plugin "local-$name"
    echo "spec: {source: \"local://$name\"}"
  done
} >>templates.yaml
atelier apply -f templates.yaml >/dev/null

not_ready() { [ "$(condition "$1" "$2" Ready status)" = False ]; }
fails() { # fails KIND NAME REASON WORDS...: its condition and its event say so
  local kind=$1 name=$2 reason=$3 word said
  shift 3
  expect "$kind $name is not refused" not_ready "$kind" "$name"
  has_reason "$kind" "$name" "$reason" || die "$kind $name: $(condition "$kind" "$name" Ready reason), not $reason"
  said=$(condition "$kind" "$name" Ready message)
  for word in "$@"; do
    [[ "$said" == *"$word"* ]] || die "$kind $name says \"$said\", not \"$word\""
  done
  expect "no event for $kind $name" has_event "$kind" "$name" "$reason"
}
fails OrgTemplate malformed InvalidYaml "org.yaml:5:1: a [ without its ]"
fails OrgTemplate types InvalidField "org.yaml:1:7: name must be a text" "org.yaml:3:19: role must be a text"
fails OrgTemplate paths InvalidKey "org.yaml:4:8: key \"../../x\"" \
  "org.yaml:5:14: files_dir ../../etc: the path leads out" "org.yaml:6:13: \"../x\" is not the name of a plugin"
fails OrgTemplate include IncludeEscape "org.yaml:3:3: !include ../../../etc/passwd" \
  "org.yaml:4:3: !include /etc/passwd"
fails OrgTemplate external ExternalInvalid 'org.yaml:3:3: !external: ref "main; rm -rf /"' \
  'org.yaml:4:3: !external: ref "--upload-pack=x"' 'org.yaml:5:3: !external: path "../../etc/passwd"' \
  'org.yaml:6:3: !external: repo "../o"' 'org.yaml:7:3: !external: it names no url'
fails OrgTemplate deep InvalidYaml "org.yaml:2:"
fails OrgTemplate bomb InvalidYaml "more than 200000 values, aliases expanded"
fails OrgTemplate bytes InvalidYaml "org.yaml:1:7: not UTF-8"
fails OrgTemplate huge FileTooLarge "org.yaml is larger than 1048576 bytes"
not_ready OrgTemplate many || die "100,000 workspaces are not refused"
fails OrgTemplate wide InvalidPlugin "org.yaml:5:5"
fails OrgTemplate links FilesEscape "org.yaml:3:24: files_dir absolute: a symbolic link leads out of the template" \
  "org.yaml:4:24: files_dir within: the symbolic link p leads out of the template"
fails OrgTemplate dots InvalidSource "dots.git: the tree has \"..\""
fails OrgTemplate local-pipe FileUnreadable "files_dir f: pipe is not a regular file"
fails OrgTemplate local-pipe-itself FileUnreadable "org.yaml is not a regular file"
fails OrgTemplate local-device FileUnreadable "files_dir f: zero is not a regular file"
fails OrgTemplate local-file SourceNotFound "there is no folder file in the server's folder of templates"
fails OrgTemplate local-nowhere SourceNotFound "there is no folder nowhere"
fails Plugin local-pipe UnsafeContent "\"pipe\" is neither a file nor a folder"
fails Plugin local-device UnsafeContent "\"zero\" is neither a file nor a folder"
fails Plugin local-socket UnsafeContent "\"socket\" is neither a file nor a folder"
fails Plugin local-links UnsafeContent "the symbolic link token leads out of the plugin"
fails Plugin local-nowhere SourceNotFound "local://nowhere"
expect "unknown fields of a template are no error" is_ready OrgTemplate unknown
[[ "$(field OrgTemplate unknown '.status.warnings[0] | "\(.file):\(.line) \(.message)"')" == org.yaml:3*modle* ]] ||
  die "the unknown field is not warned about"

note "no object shows anything of this machine, nothing is left, and the server is ready"
atelier get orgtemplates,plugins,events -A -o yaml >seen.yaml
if grep -nF -e "$WORLD" -e "$(cat home/token)" -e "root:x:0" seen.yaml; then die "an object shows something of this machine"; fi
[ "$(find home/trees -mindepth 1 -maxdepth 1 ! -name '.*' | wc -l)" -le 1 ] || die "trees of bad templates are kept"
[ -z "$(find "$WORLD" -name escaped)" ] || die "a file escaped"
if grep -qF "$(cat home/token)" server.log; then die "the token is in the log"; fi
kill -0 "$SERVER_PID" || die "the server has ended"
atelier healthcheck >/dev/null
peak=$(awk '/^VmHWM/ {print $2}' "/proc/$SERVER_PID/status")
note "resident: $at_rest KiB at rest, at most $peak KiB"
[ "$peak" -le $((at_rest + 192 * 1024)) ] || die "the server grew too much"
