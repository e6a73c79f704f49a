#include "reconcilers/org_template/git_externals.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <system_error>

#include "base/hex.h"
#include "base/text.h"
#include "reconcilers/org_template/source_warnings.h"
#include "templates/tree_files.h"

namespace atelier::reconcilers {
namespace {

// By URL and ref.
using TargetKey = std::pair<std::string, std::string>;

struct Fetched {
    std::string commit;
    std::vector<templates::Finding> warnings;
    drivers::TreePtr files;
    std::int64_t bytes = 0;
};

// Everything that is wanted of one repository.
struct Job {
    drivers::GitRemote remote;
    std::vector<std::string> refs;
    std::vector<Result<Fetched>> results;  // as refs
};

std::string without(std::string text, const std::string& secret) {
    constexpr std::string_view mark = "[redacted]";
    if (secret.empty()) return text;
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
        text.replace(at, secret.size(), mark);
        at += mark.size();
    }
    return text;
}

Error redacted(Error error, const drivers::GitRemote& remote) {
    if (!remote.credential) return error;
    error.message = without(std::move(error.message), remote.credential->secret);
    error.detail = without(std::move(error.detail), remote.credential->secret);
    return error;
}

std::int64_t bytes_of(const drivers::Tree& tree) {
    std::int64_t bytes = 0;
    for (const auto& [path, file] : tree) {
        bytes += static_cast<std::int64_t>(path.size() + file.bytes.size());
    }
    return bytes;
}

Result<Fetched> fetch_one(drivers::Git& git, const drivers::GitRemote& remote,
                          const std::string& ref,
                          std::optional<std::vector<drivers::GitRef>>& refs) {
    Fetched fetched;
    fetched.commit = ref;
    if (!is_full_commit(ref)) {
        if (!refs) refs = TRY(git.refs(remote));
        fetched.commit = TRY(drivers::resolve_ref(*refs, ref)).commit;
        fetched.warnings = warnings_of_ref(*refs, ref);
    }
    fetched.files = TRY(git.fetch(remote, fetched.commit, ""));
    fetched.bytes = bytes_of(*fetched.files);
    if (const auto gaps = git.gaps(remote, fetched.commit, "")) {
        const auto more = warnings_of_gaps(*gaps);
        fetched.warnings.insert(fetched.warnings.end(), more.begin(), more.end());
    }
    return fetched;
}

void run(drivers::Git& git, Job& job) {
    std::optional<std::vector<drivers::GitRef>> refs;
    for (const std::string& ref : job.refs) {
        auto fetched = fetch_one(git, job.remote, ref, refs);
        if (fetched) {
            job.results.push_back(std::move(fetched));
        } else {
            job.results.emplace_back(redacted(fetched.error(), job.remote));
        }
    }
}

// Some at a time. The last runs here, so that one repository needs no thread.
void run_all(drivers::Git& git, std::vector<Job>& jobs, std::size_t at_once) {
    for (std::size_t start = 0; start < jobs.size(); start += at_once) {
        const std::size_t end = std::min(jobs.size(), start + at_once);
        std::vector<std::future<void>> running;
        for (std::size_t i = start; i + 1 < end; ++i) {
            Job& job = jobs[i];
            try {
                running.push_back(std::async(std::launch::async, [&git, &job] { run(git, job); }));
            } catch (const std::system_error&) {  // no thread is to be had
                run(git, job);
            }
        }
        run(git, jobs[end - 1]);
        for (std::future<void>& one : running) one.get();
    }
}

class Repositories final : public templates::Externals {
  public:
    Repositories(drivers::Git& git, templates::ExternalPolicy policy,
                 std::vector<ExternalAccess> access, const ExternalLimits& limits)
        : git_(git), policy_(std::move(policy)), access_(std::move(access)), limits_(limits) {}

    Result<templates::ExternalTarget> check(
        const templates::ExternalRequest& request) const override {
        return templates::check_external(request, policy_);
    }

    Result<templates::ExternalTree*> open(const templates::ExternalTarget& target) override {
        const TargetKey key{target.url, target.ref};
        if (const auto known = trees_.find(key); known != trees_.end()) {
            if (!known->second) return known->second.error();
            return &known->second->tree;
        }
        if (!pending_.contains(key) && trees_.size() + pending_.size() >= limits_.repositories) {
            return Error{Code::too_large,
                         fmt::format("the template names more than {} other repositories, counted "
                                     "at each ref",
                                     limits_.repositories)};
        }
        pending_.emplace(key, target.origin);
        return nullptr;
    }

    bool fetch_pending() override {
        if (pending_.empty()) return false;
        std::map<std::string, Job> by_url;
        for (const auto& [key, origin] : pending_) {
            Job& job = by_url[key.first];
            job.remote = remote_of(key.first, origin);
            job.refs.push_back(key.second);
        }
        pending_.clear();
        std::vector<Job> jobs;
        for (auto& [url, job] : by_url) jobs.push_back(std::move(job));
        run_all(git_, jobs, limits_.fetches_at_once);
        for (Job& job : jobs) {
            for (std::size_t i = 0; i < job.refs.size(); ++i) {
                trees_.emplace(TargetKey{job.remote.url, job.refs[i]},
                               taken(job.remote.url, std::move(job.results[i])));
            }
        }
        return true;
    }

    std::vector<crds::TemplateExternal> fetched() const override {
        std::vector<crds::TemplateExternal> all;
        for (const auto& [key, entry] : trees_) {
            if (entry) all.push_back({key.first, key.second, entry->commit});
        }
        return all;
    }

  private:
    struct Entry {
        templates::ExternalTree tree;
        std::string commit;
    };

    drivers::GitRemote remote_of(const std::string& url, const std::string& origin) const {
        drivers::GitRemote remote{.url = url, .credential = std::nullopt, .ca_pem = ""};
        const auto access =
            std::find_if(access_.begin(), access_.end(),
                         [&](const ExternalAccess& one) { return one.origin == origin; });
        if (access == access_.end()) return remote;
        remote.credential = access->credential;
        remote.ca_pem = access->ca_pem;
        return remote;
    }

    Result<Entry> taken(const std::string& url, Result<Fetched> fetched) {
        if (!fetched) return fetched.error();
        bytes_ += fetched->bytes;
        if (bytes_ > limits_.bytes) {
            return Error{Code::too_large,
                         fmt::format("the other repositories of the template together have more "
                                     "than {} bytes",
                                     limits_.bytes)};
        }
        return Entry{
            {url + " " + fetched->commit, templates::files_of_tree(std::move(fetched->files)),
             std::move(fetched->warnings)},
            fetched->commit};
    }

    drivers::Git& git_;
    const templates::ExternalPolicy policy_;
    const std::vector<ExternalAccess> access_;
    const ExternalLimits limits_;
    std::map<TargetKey, std::string> pending_;  // to their origin
    std::map<TargetKey, Result<Entry>> trees_;
    std::int64_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<templates::Externals> external_repositories(drivers::Git& git,
                                                            templates::ExternalPolicy policy,
                                                            std::vector<ExternalAccess> access,
                                                            const ExternalLimits& limits) {
    return std::make_unique<Repositories>(git, std::move(policy), std::move(access), limits);
}

}  // namespace atelier::reconcilers
