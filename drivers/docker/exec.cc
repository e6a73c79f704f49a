#include "drivers/docker/exec.h"

#include "drivers/docker/stream.h"
#include "drivers/runtime_names.h"

namespace atelier::drivers {

namespace {

using json::Document;
using json::Value;

constexpr std::size_t most_output = std::size_t{5} << 20;

std::int64_t whole_seconds(Duration duration) {
    return std::chrono::ceil<std::chrono::seconds>(duration).count();
}

// Whether the image has no `timeout`: the engine then writes why to the command's output.
bool lacks_timeout(const ExecResult& result) {
    return (result.exit_code == 126 || result.exit_code == 127) &&
           result.out.find("exec: \"timeout\"") != std::string::npos;
}

Result<ExecResult> exec_once(const DockerApi& api, const std::string& id,
                             const std::vector<std::string>& command, Duration deadline) {
    Document body(rapidjson::kObjectType);
    auto& a = body.GetAllocator();
    Value words(rapidjson::kArrayType);
    for (const std::string& word : command) words.PushBack(json::make(word, a), a);
    json::set(body, "Cmd", std::move(words), a);
    json::set(body, "AttachStdout", Value(true), a);
    json::set(body, "AttachStderr", Value(true), a);
    const std::string unit = "unit " + id.substr(0, 12);
    const DockerReply made = TRY(api.post("/containers/" + id + "/exec", &body));
    if (made.status == 409) {
        return Error{Code::conflict, unit + " does not run", made.message()};
    }
    if (!made.ok()) return docker_error(made, "no command can be run in " + unit);
    const Document created = TRY(made.json());
    const std::string exec = json::string_at(created, {"Id"});

    DockerStream stream(most_output);
    const DockerReply ran = TRY(api.http.call({.method = "POST",
                                               .path = "/exec/" + exec + "/start",
                                               .body = R"({"Detach":false,"Tty":false})",
                                               .sink = [&](std::string_view b) { stream.feed(b); },
                                               .deadline = deadline}));
    if (ran.status == 409) return Error{Code::conflict, unit + " does not run", ran.message()};
    if (!ran.ok()) return docker_error(ran, "the command cannot be run in " + unit);

    const DockerReply ended = TRY(api.get("/exec/" + exec + "/json"));
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

}  // namespace

// The engine cannot kill a command that it runs, and a command goes on when its caller hangs up. So
// it runs below the image's `timeout`, which kills it one second after the deadline.
Result<ExecResult> exec_in(const DockerApi& api, const std::string& id,
                           const std::vector<std::string>& command, Duration deadline) {
    TRY(check_runtime_name("unit", id));
    if (command.empty()) return Error{Code::invalid, "the command is empty"};
    if (deadline <= Duration::zero()) return Error{Code::timeout, "there is no time left"};
    std::vector<std::string> watched{"timeout", "-s", "KILL",
                                     std::to_string(whole_seconds(deadline) + 1)};
    watched.insert(watched.end(), command.begin(), command.end());
    auto result = exec_once(api, id, watched, deadline);
    if (result && lacks_timeout(*result)) result = exec_once(api, id, command, deadline);
    if (!result && result.error().code == Code::timeout) {
        return Error{Code::timeout, "the command did not end in time", result.error().detail};
    }
    return result;
}

Result<std::string> logs_of(const DockerApi& api, const std::string& id, std::size_t last_lines) {
    const std::string name = TRY(check_runtime_name("unit", id));
    DockerStream stream(most_output, DockerStream::Keep::newest_merged);
    const DockerReply reply =
        TRY(api.http.call({.method = "GET",
                           .path = "/containers/" + name +
                                   "/logs?stdout=1&stderr=1&tail=" + std::to_string(last_lines),
                           .sink = [&](std::string_view bytes) { stream.feed(bytes); },
                           .deadline = api.deadline}));
    if (!reply.ok()) {
        return docker_error(reply, "the log of unit " + id.substr(0, 12) + " cannot be read");
    }
    return stream.take_out();
}

}  // namespace atelier::drivers
