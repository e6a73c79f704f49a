// One upload and one command for each step. What was uploaded is verified inside before it counts,
// because a cut upload may look like a whole one; and every exit code counts.
#include "drivers/plugins/exec_plugin_folder.h"

#include <algorithm>
#include <set>

#include "base/digest.h"
#include "base/text.h"

namespace atelier::drivers {
namespace {

constexpr Duration deadline = std::chrono::seconds(60);
constexpr Duration status_deadline = std::chrono::seconds(10);

// The file is the workspace's own: a pipe in its place would hold the command up, and a link would
// show another file. Arguments: the file, the most bytes of it.
constexpr std::string_view status_script = R"sh(
[ -f "$1" ] && ! [ -L "$1" ] || exit 1
exec head -c "$2" "$1"
)sh";

// Arguments of every script: the plugins folder, the plugin's name, the stamp.
// Sections begin with a line "#name". Paths are "./…" and have no newline: those that have one are
// reported as not deliverable.
constexpr std::string_view observe_script = R"sh(
cd "$1" 2>/dev/null || exit 0
echo '#staged'; [ -d .staging ] && ls -A .staging
echo '#previous'; [ -d .previous ] && ls -A .previous
[ -e "./$2" ] || [ -L "./$2" ] || exit 0
echo '#live'
if [ -L "./$2" ] || ! [ -d "./$2" ]; then echo '#odd'; echo "./$2"; exit 0; fi
cd "./$2" || exit 3
echo '#marker'
if [ -f .complete ] && ! [ -L .complete ]; then IFS= read -r line <.complete; echo "$line"; fi
echo '#odd'; find . ! -type f ! -type d || exit 3
find . -name '*
*' || exit 3
echo '#executable'; find . -type f -perm -100 || exit 3
echo '#files'; find . -type f -exec sha256sum {} + || exit 3
echo '#end'
)sh";

// The sums were uploaded beside the tree; the marker comes last. $6 is the number of files.
constexpr std::string_view stage_script = R"sh(
mkdir -p "$1/.staging/$2.$3" && cd "$1/.staging/$2.$3" || exit 3
sums="../$2.$3.sums"
[ -f "$sums" ] || exit 4
[ -z "$(find . ! -type f ! -type d)" ] || exit 4
digest=$4; owner=$5; expected=$6
set -f; IFS='
'
set -- $(find . -type f)
[ $# -eq "$expected" ] || exit 4
if [ -s "$sums" ]; then sha256sum -c "$sums" >/dev/null 2>&1 || exit 4; fi
chown -R "$owner:$owner" . || exit 5
rm -f "$sums" || exit 5
sync || exit 5
echo "$digest" >.complete.new && chown "$owner:$owner" .complete.new || exit 5
mv -f .complete.new .complete || exit 5
sync
)sh";

// atelier-agent exchanges the two in one step where the unit has it. Otherwise two renames, and
// the first is taken back when the second fails.
constexpr std::string_view swap_script = R"sh(
cd "$1" || exit 3
new=".staging/$2.$3"; old=".previous/$2.$3"
[ -s "$new/.complete" ] || exit 6
if ! [ -e "$2" ] && ! [ -L "$2" ]; then mv -T "$new" "$2" && sync && exit 0; exit 7; fi
mkdir -p .previous && rm -rf "$old" || exit 7
if command -v atelier-agent >/dev/null 2>&1 && atelier-agent exchange "$new" "$2" 2>/dev/null; then
  mv -T "$new" "$old" || exit 7
  sync; exit 0
fi
mv -T "$2" "$old" || exit 7
mv -T "$new" "$2" && { sync; exit 0; }
mv -T "$old" "$2" || exit 8
exit 7
)sh";

constexpr std::string_view restore_script = R"sh(
cd "$1" || exit 3
[ -e "$2" ] && exit 0
[ -s ".previous/$2.$3/.complete" ] || exit 6
mv -T ".previous/$2.$3" "$2"
)sh";

constexpr std::string_view remove_script = R"sh(
cd "$1" 2>/dev/null || exit 0
[ -e "./$2" ] || [ -L "./$2" ] || exit 0
mkdir -p .staging && rm -rf ".staging/$2.$3" && mv -T "./$2" ".staging/$2.$3" || exit 7
rm -rf ".staging/$2.$3"
)sh";

// The other arguments name what to remove.
constexpr std::string_view collect_script = R"sh(
cd "$1" || exit 3
shift 3
rm -rf -- "$@"
)sh";

constexpr std::string_view names_script = R"sh(
cd "$1" 2>/dev/null || exit 0
ls
)sh";

std::string_view meaning(std::int64_t exit_code) {
    switch (exit_code) {
        case 3:
            return "its folder cannot be read in the workspace";
        case 4:
            return "what arrived in the workspace is not what was sent";
        case 5:
            return "it cannot be completed in the workspace";
        case 6:
            return "its staged or older tree is not complete";
        case 7:
            return "it cannot be made live or taken away in the workspace";
        case 8:
            return "it cannot be made live, and the old tree cannot be put back";
        case 126:
        case 127:
            return "the workspace has no shell with find, sha256sum and mv";
        default:
            return "a command failed in the workspace";
    }
}

Error explain(const ExecResult& result, const std::string& name) {
    Code code = Code::internal;
    if (result.exit_code == 4 || result.exit_code == 6) code = Code::conflict;
    if (result.exit_code == 126 || result.exit_code == 127) code = Code::unsupported;
    return {code, "plugin \"" + name + "\": " + std::string(meaning(result.exit_code)),
            "exit code " + std::to_string(result.exit_code) + ": " + result.err};
}

std::string without_dot(const std::string& path) {
    return path.starts_with("./") ? path.substr(2) : path;
}

// "<64 hex>  ./path" of sha256sum; a name with a backslash is written with one in front.
std::optional<ManifestEntry> parse_sum(const std::string& line) {
    if (line.size() < 69 || line.find_first_not_of("0123456789abcdef") != 64) return std::nullopt;
    return ManifestEntry{without_dot(line.substr(66)), line.substr(0, 64), 0, false};
}

class Listing {
  public:
    explicit Listing(const std::string& text) {
        std::string section;
        for (const std::string& line : split(text, '\n')) {
            if (line.starts_with('#')) {
                section = line;
                seen_.insert(section);
            } else if (!line.empty()) {
                lines_[section].push_back(line);
            }
        }
    }
    bool has(const std::string& section) const { return seen_.contains(section); }
    const std::vector<std::string>& lines(const std::string& section) { return lines_[section]; }

    std::vector<std::string> stamps(const std::string& section, const std::string& name) {
        std::vector<std::string> found;
        for (std::string line : lines_[section]) {
            // The sums of a staged tree that has not arrived itself are a leftover as well.
            if (line.ends_with(".sums")) line.resize(line.size() - 5);
            const auto stamped = parse_stamped(line);
            if (stamped && stamped->name == name) found.push_back(stamped->stamp);
        }
        std::sort(found.begin(), found.end());
        found.erase(std::unique(found.begin(), found.end()), found.end());
        return found;
    }

  private:
    std::set<std::string> seen_;
    std::map<std::string, std::vector<std::string>> lines_;
};

class ExecPluginFolder final : public PluginFolder {
  public:
    ExecPluginFolder(Runtime& runtime, ExecPluginFolderOptions options)
        : runtime_(runtime), options_(std::move(options)) {}

    std::string_view delivery() const override { return "exec"; }

    Result<PluginState> observe(const std::string& name) override {
        TRY(check_plugin_name(name));
        Listing listing(TRY(run(observe_script, name, "-")));
        PluginState state;
        state.staged = listing.stamps("#staged", name);
        state.previous = listing.stamps("#previous", name);
        state.live = listing.has("#live");
        if (!state.live) return state;
        if (!listing.lines("#odd").empty()) {
            state.problem = "it has something that is neither a regular file nor a folder";
            return state;
        }
        if (!listing.has("#end")) {
            state.problem = "it could not be listed to the end";
            return state;
        }
        if (!listing.lines("#marker").empty()) state.marker = listing.lines("#marker").front();
        read_files(listing, state);
        return state;
    }

    Result<std::vector<std::string>> names() override {
        std::vector<std::string> found;
        const std::string listed = TRY(run(names_script, "-", "-"));
        for (const std::string& line : split(listed, '\n')) {
            if (!line.empty()) found.push_back(line);
        }
        return found;
    }

    Result<void> stage(const std::string& name, const std::string& stamp,
                       const Tree& tree) override {
        TRY(check_plugin_name(name));
        TRY(check_stamp(stamp));
        TRY(running());
        const Tree content = TRY(deliverable(tree));
        const Manifest manifest = manifest_of(content);
        const std::string below = "plugins/.staging/" + name + "." + stamp;
        Tree upload;
        std::string sums;
        for (const auto& [path, file] : content) upload.emplace(below + "/" + path, file);
        for (const ManifestEntry& entry : manifest) {
            sums += entry.sha256 + "  ./" + entry.path + "\n";
        }
        upload.emplace(below + ".sums", File{.bytes = sums});
        const auto carry = [&]() -> Result<void> {
            TRY(runtime_.upload(options_.unit_id, options_.configs, upload, plugin_owner,
                                plugin_owner));
            TRY(run(stage_script, name, stamp,
                    {digest_of(manifest), std::to_string(plugin_owner),
                     std::to_string(manifest.size())}));
            return {};
        };
        const auto carried = carry();
        if (carried || carried.error().code != Code::conflict) return carried;
        // Files of an earlier attempt may be in the way: upload once more into an empty folder.
        TRY(run(collect_script, name, "-",
                {".staging/" + name + "." + stamp, ".staging/" + name + "." + stamp + ".sums"}));
        return carry();
    }

    Result<void> swap(const std::string& name, const std::string& stamp) override {
        TRY(check_plugin_name(name));
        TRY(check_stamp(stamp));
        TRY(run(swap_script, name, stamp));
        return {};
    }

    Result<void> restore(const std::string& name) override {
        const PluginState state = TRY(observe(name));
        if (state.live) return {};
        for (auto stamp = state.previous.rbegin(); stamp != state.previous.rend(); ++stamp) {
            const auto put_back = run(restore_script, name, *stamp);
            if (put_back) return {};
            if (put_back.error().code != Code::conflict) return put_back.error();
        }
        return Error{Code::not_found, "there is no complete older tree of \"" + name + "\""};
    }

    Result<void> remove(const std::string& name, const std::string& stamp) override {
        TRY(check_plugin_name(name));
        TRY(check_stamp(stamp));
        TRY(run(remove_script, name, stamp));
        return {};
    }

    Result<void> collect(const std::string& name) override {
        const PluginState state = TRY(observe(name));
        std::vector<std::string> leftovers;
        for (const std::string& stamp : state.staged) {
            leftovers.push_back(".staging/" + name + "." + stamp);
            leftovers.push_back(".staging/" + name + "." + stamp + ".sums");
        }
        for (const std::string& stamp : state.previous) {
            leftovers.push_back(".previous/" + name + "." + stamp);
        }
        if (leftovers.empty()) return {};
        TRY(run(collect_script, name, "-", leftovers));
        return {};
    }

    Result<std::string> agent_status() override {
        TRY(running());
        const ExecResult result =
            TRY(runtime_.exec(options_.unit_id,
                              {"/bin/sh", "-c", std::string(status_script), "sh",
                               options_.run + "/status.json", std::to_string(most_status)},
                              status_deadline));
        if (result.exit_code == 0) return result.out;
        return Error{Code::not_found, "nobody in the workspace reports what is loaded"};
    }

  private:
    Result<void> running() const {
        if (!options_.unit_id.empty()) return {};
        return Error{Code::unavailable,
                     "the workspace does not run: plugins are carried into a running one"};
    }

    Result<std::string> run(std::string_view script, const std::string& name,
                            const std::string& stamp,
                            const std::vector<std::string>& more = {}) const {
        TRY(running());
        std::vector<std::string> command = {
            "/bin/sh", "-c", std::string(script), "plugin", options_.configs + "/plugins",
            name,      stamp};
        command.insert(command.end(), more.begin(), more.end());
        ExecResult result = TRY(runtime_.exec(options_.unit_id, command, deadline));
        if (result.exit_code != 0) return explain(result, name);
        return std::move(result.out);
    }

    static void read_files(Listing& listing, PluginState& state) {
        const auto& lines = listing.lines("#executable");
        std::set<std::string> executable;
        for (const std::string& line : lines) executable.insert(without_dot(line));
        std::map<std::string, ManifestEntry> entries;
        for (const std::string& line : listing.lines("#files")) {
            auto entry = parse_sum(line);
            if (!entry) {
                state.problem = "it has a file whose path may not be delivered";
                return;
            }
            if (entry->path == plugin_marker) continue;
            entry->executable = executable.contains(entry->path);
            const std::string path = entry->path;
            entries.emplace(path, std::move(*entry));
        }
        for (auto& [path, entry] : entries) state.manifest.push_back(std::move(entry));
    }

    Runtime& runtime_;
    const ExecPluginFolderOptions options_;
};

}  // namespace

std::unique_ptr<PluginFolder> exec_plugin_folder(Runtime& runtime,
                                                 ExecPluginFolderOptions options) {
    return std::make_unique<ExecPluginFolder>(runtime, std::move(options));
}

}  // namespace atelier::drivers
