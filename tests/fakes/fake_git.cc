#include "tests/fakes/fake_git.h"

#include <fmt/format.h>

#include "base/digest.h"

namespace atelier::fakes {

using drivers::GitRef;
using drivers::GitRemote;

std::string FakeGit::commit(const std::string& url, const drivers::Tree& tree,
                            const std::string& branch, const drivers::GitAuthor& author) {
    const std::lock_guard lock(mutex_);
    const std::string id = sha256_hex(fmt::format("{} {}", url, ++made_)).substr(0, 40);
    Remote& remote = remotes_[url];
    remote.commits[id] = std::make_shared<const drivers::Tree>(tree);
    remote.authors[id] = author;
    remote.refs["refs/heads/" + branch] = id;
    return id;
}

void FakeGit::tag(const std::string& url, const std::string& name, const std::string& commit) {
    const std::lock_guard lock(mutex_);
    remotes_[url].refs["refs/tags/" + name] = commit;
}

void FakeGit::branch(const std::string& url, const std::string& name, const std::string& commit) {
    const std::lock_guard lock(mutex_);
    remotes_[url].refs["refs/heads/" + name] = commit;
}

void FakeGit::remove_ref(const std::string& url, const std::string& full_name) {
    const std::lock_guard lock(mutex_);
    remotes_[url].refs.erase(full_name);
}

void FakeGit::forget(const std::string& url, const std::string& commit) {
    const std::lock_guard lock(mutex_);
    remotes_[url].commits.erase(commit);
}

void FakeGit::need_secret(const std::string& url, const std::string& secret) {
    const std::lock_guard lock(mutex_);
    remotes_[url].secret = secret;
}

void FakeGit::plan(Fault fault) {
    const std::lock_guard lock(mutex_);
    faults_.push_back(std::move(fault));
}

bool FakeGit::faults_left() const {
    const std::lock_guard lock(mutex_);
    return !faults_.empty();
}

void FakeGit::set_away(bool away) {
    const std::lock_guard lock(mutex_);
    away_ = away;
}

void FakeGit::on_call(std::function<void(std::string_view, When)> hook) {
    const std::lock_guard lock(mutex_);
    hook_ = std::move(hook);
}

std::vector<std::string> FakeGit::calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
}

Result<std::vector<GitRef>> FakeGit::refs(const GitRemote& remote) {
    TRY(drivers::check_remote_url(remote.url));
    TRY(begin("refs", "refs " + remote.url));
    std::vector<GitRef> out;
    {
        const std::lock_guard lock(mutex_);
        const Remote* known = TRY(find(remote));
        const auto main = known->refs.find("refs/heads/main");
        if (main != known->refs.end()) out.push_back({"HEAD", main->second});
        for (const auto& [name, commit] : known->refs) out.push_back({name, commit});
    }
    TRY(end("refs"));
    return out;
}

Result<drivers::TreePtr> FakeGit::fetch(const GitRemote& remote, const std::string& commit,
                                        const std::string& path) {
    TRY(drivers::check_remote_url(remote.url));
    if (commit.size() != 40) return Error{Code::invalid, "a commit is 40 hexadecimal digits"};
    TRY(begin("fetch", fmt::format("fetch {} {} {}", remote.url, commit.substr(0, 7), path)));
    drivers::TreePtr tree;
    {
        const std::lock_guard lock(mutex_);
        const Remote* known = TRY(find(remote));
        const auto found = known->commits.find(commit);
        if (found == known->commits.end()) {
            return Error{Code::not_found, "the repository has no commit " + commit};
        }
        tree = found->second;
        remotes_.at(remote.url).fetched.insert(commit);
    }
    if (!path.empty()) {
        auto below = std::make_shared<drivers::Tree>(drivers::subtree(*tree, path));
        if (below->empty()) {
            return Error{Code::not_found,
                         fmt::format("the commit {} has no folder \"{}\"", commit, path)};
        }
        tree = std::move(below);
    }
    TRY(end("fetch"));
    return tree;
}

Result<drivers::GitAuthor> FakeGit::author(const GitRemote& remote, const std::string& commit) {
    const std::lock_guard lock(mutex_);
    const Remote* known = TRY(find(remote));
    if (!known->fetched.contains(commit)) {
        return Error{Code::not_found, "the commit " + commit + " is not here"};
    }
    return known->authors.at(commit);
}

Result<void> FakeGit::begin(const std::string& call, const std::string& line) {
    {
        const std::lock_guard lock(mutex_);
        calls_.push_back(line);
        if (away_) return Error{Code::unavailable, "the git server is away"};
    }
    return meet(call, When::before);
}

Result<void> FakeGit::end(const std::string& call) {
    return meet(call, When::after);
}

Result<void> FakeGit::meet(const std::string& call, When when) {
    std::function<void(std::string_view, When)> hook;
    {
        const std::lock_guard lock(mutex_);
        for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
            if ((!fault->call.empty() && fault->call != call) || fault->when != when) continue;
            if (--fault->nth > 0) continue;
            const Code code = fault->code;
            faults_.erase(fault);
            return Error{code, "a planned failure of " + call};
        }
        hook = hook_;
    }
    if (hook) hook(call, when);
    return {};
}

Result<const FakeGit::Remote*> FakeGit::find(const GitRemote& remote) const {
    const auto known = remotes_.find(remote.url);
    if (known == remotes_.end()) {
        return Error{Code::not_found, "git " + remote.url + ": there is no such repository"};
    }
    const std::string given = remote.credential ? remote.credential->secret : "";
    if (!known->second.secret.empty() && known->second.secret != given) {
        return Error{Code::unauthenticated, "git " + remote.url + ": a credential is needed"};
    }
    return &known->second;
}

Result<drivers::GitGaps> FakeGit::gaps(const GitRemote& remote, const std::string& commit,
                                       const std::string&) {
    const std::lock_guard lock(mutex_);
    const auto known = remotes_.find(remote.url);
    if (known == remotes_.end() || !known->second.fetched.contains(commit)) {
        return Error{Code::not_found, "the commit is not in the cache"};
    }
    const auto it = known->second.gaps.find(commit);
    return it == known->second.gaps.end() ? drivers::GitGaps() : it->second;
}

void FakeGit::set_gaps(const std::string& url, const std::string& commit, drivers::GitGaps gaps) {
    const std::lock_guard lock(mutex_);
    remotes_[url].gaps[commit] = std::move(gaps);
}

}  // namespace atelier::fakes
