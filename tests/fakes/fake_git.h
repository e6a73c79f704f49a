// Git remotes in memory: the contract of drivers/git/git.h without a server, a disk or a clock. The
// same calls in the same order give the same commits.
//
// Thread-safe. The hook is called without a lock held and may call back, or throw to stand for the
// crash of the caller there.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "drivers/git/git.h"
#include "tests/fakes/fake_runtime.h"  // When, Fault

namespace atelier::fakes {

class FakeGit final : public drivers::Git {
  public:
    // Upstream. A URL exists once something was committed to it.
    std::string commit(const std::string& url, const drivers::Tree& tree,
                       const std::string& branch = "main",
                       const drivers::GitAuthor& author = {"t", "change"});  // the new commit's id
    void tag(const std::string& url, const std::string& name, const std::string& commit);
    void branch(const std::string& url, const std::string& name, const std::string& commit);
    void remove_ref(const std::string& url, const std::string& full_name);
    void forget(const std::string& url, const std::string& commit);  // as upstream's gc does
    void need_secret(const std::string& url, const std::string& secret);

    // `call` is "refs" or "fetch". Away: every call is unavailable.
    void plan(Fault fault);
    bool faults_left() const;
    void set_away(bool away);
    void on_call(std::function<void(std::string_view call, When when)> hook);

    // One line a call: "refs URL", "fetch URL <first 7 of the commit> PATH".
    std::vector<std::string> calls() const;

    Result<std::vector<drivers::GitRef>> refs(const drivers::GitRemote& remote) override;
    Result<drivers::TreePtr> fetch(const drivers::GitRemote& remote, const std::string& commit,
                                   const std::string& path) override;
    // Of what was fetched; no call that can fail, and none in calls().
    Result<drivers::GitAuthor> author(const drivers::GitRemote& remote,
                                      const std::string& commit) override;
    Result<drivers::GitGaps> gaps(const drivers::GitRemote& remote, const std::string& commit,
                                  const std::string& path) override;
    // From now on, gaps() says so of that commit.
    void set_gaps(const std::string& url, const std::string& commit, drivers::GitGaps gaps);

  private:
    struct Remote {
        std::map<std::string, drivers::GitAuthor> authors;
        std::set<std::string> fetched;
        std::map<std::string, drivers::GitGaps> gaps;  // by commit
        std::map<std::string, drivers::TreePtr> commits;
        std::map<std::string, std::string> refs;  // full name to commit
        std::string secret;
    };
    // Between the two: the fault that is due for this call, if it is of that kind.
    Result<void> begin(const std::string& call, const std::string& line);
    Result<void> end(const std::string& call);
    Result<void> meet(const std::string& call, When when);
    Result<const Remote*> find(const drivers::GitRemote& remote) const;

    mutable std::mutex mutex_;
    std::map<std::string, Remote> remotes_;
    std::vector<Fault> faults_;
    std::vector<std::string> calls_;
    std::function<void(std::string_view, When)> hook_;
    bool away_ = false;
    int made_ = 0;
};

}  // namespace atelier::fakes
