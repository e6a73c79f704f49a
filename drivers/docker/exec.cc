// Commands inside a container, and what containers have said.
#include <algorithm>

#include "drivers/docker/engine.h"
#include "drivers/docker/stream.h"

namespace atelier::drivers {

namespace {

using json::Document;
using json::Value;

constexpr std::size_t most_output = std::size_t{5} << 20;

std::int64_t whole_seconds(Duration duration) {
    return std::chrono::ceil<std::chrono::seconds>(duration).count();
}

// What the engine says on the output when there is no `timeout` in the image.
bool lacks_timeout(const ExecResult& result) {
    return (result.exit_code == 126 || result.exit_code == 127) &&
           result.out.find("exec: \"timeout\"") != std::string::npos;
}

}  // namespace

void DockerStream::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        if (left_ == 0) {
            header_[header_size_++] = static_cast<unsigned char>(bytes.front());
            bytes.remove_prefix(1);
            if (header_size_ < header_.size()) continue;
            header_size_ = 0;
            for (std::size_t i = 4; i < 8; ++i) left_ = left_ << 8 | header_[i];
            continue;
        }
        std::string& stream = header_[0] == 2 && !merged_ ? err : out;
        const std::size_t size = std::min(left_, bytes.size());
        const std::size_t kept = std::min(size, most_ - stream.size());
        stream.append(bytes.substr(0, kept));
        truncated = truncated || kept < size;
        left_ -= size;
        bytes.remove_prefix(size);
    }
}

Result<ExecResult> DockerEngine::exec_once(const std::string& id,
                                           const std::vector<std::string>& command,
                                           Duration deadline) {
    Document body(rapidjson::kObjectType);
    auto& a = body.GetAllocator();
    Value words(rapidjson::kArrayType);
    for (const std::string& word : command) words.PushBack(json::make(word, a), a);
    json::set(body, "Cmd", std::move(words), a);
    json::set(body, "AttachStdout", Value(true), a);
    json::set(body, "AttachStderr", Value(true), a);
    const std::string unit = "unit " + id.substr(0, 12);
    const DockerReply made = TRY(post("/containers/" + id + "/exec", &body));
    if (made.status == 409) {
        return Error{Code::conflict, unit + " does not run", made.message()};
    }
    if (!made.ok()) return docker_error(made, "no command can be run in " + unit);
    const Document created = TRY(made.json());
    const std::string exec = json::string_at(created, {"Id"});

    DockerStream stream(most_output);
    const DockerReply ran = TRY(http_->call({.method = "POST",
                                             .path = "/exec/" + exec + "/start",
                                             .body = R"({"Detach":false,"Tty":false})",
                                             .sink = [&](std::string_view b) { stream.feed(b); },
                                             .deadline = deadline}));
    if (ran.status == 409) return Error{Code::conflict, unit + " does not run", ran.message()};
    if (!ran.ok()) return docker_error(ran, "the command cannot be run in " + unit);

    const DockerReply ended = TRY(get("/exec/" + exec + "/json"));
    if (!ended.ok())
        return docker_error(ended, "the end of the command in " + unit + " is unknown");
    const Document state = TRY(ended.json());
    const Value* code = json::find(state, {"ExitCode"});
    if (!code || !code->IsInt64()) {
        return Error{Code::internal, "the exit code of the command in " + unit + " is unknown"};
    }
    return ExecResult{code->GetInt64(), std::move(stream.out), std::move(stream.err),
                      stream.truncated};
}

// The engine cannot kill a command that it runs, nor does one end when its caller goes away. So the
// command gets a watchman of the image, who ends it a little after the deadline.
Result<ExecResult> DockerEngine::exec(const std::string& id,
                                      const std::vector<std::string>& command, Duration deadline) {
    TRY(check_runtime_name("unit", id));
    if (command.empty()) return Error{Code::invalid, "the command is empty"};
    if (deadline <= Duration::zero()) return Error{Code::timeout, "there is no time left"};
    std::vector<std::string> watched{"timeout", "-s", "KILL",
                                     std::to_string(whole_seconds(deadline) + 1)};
    watched.insert(watched.end(), command.begin(), command.end());
    auto result = exec_once(id, watched, deadline);
    if (result && lacks_timeout(*result)) result = exec_once(id, command, deadline);
    if (!result && result.error().code == Code::timeout) {
        return Error{Code::timeout, "the command did not end in time", result.error().detail};
    }
    return result;
}

Result<std::string> DockerEngine::logs(const std::string& id, std::size_t last_lines) {
    const std::string name = TRY(check_runtime_name("unit", id));
    DockerStream stream(most_output, true);
    const DockerReply reply =
        TRY(http_->call({.method = "GET",
                         .path = "/containers/" + name +
                                 "/logs?stdout=1&stderr=1&tail=" + std::to_string(last_lines),
                         .sink = [&](std::string_view bytes) { stream.feed(bytes); },
                         .deadline = options_.deadline}));
    if (!reply.ok()) return docker_error(reply, "the log of unit " + id.substr(0, 12));
    return std::move(stream.out);
}

}  // namespace atelier::drivers
