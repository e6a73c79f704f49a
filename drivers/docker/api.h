// What every part of the Docker driver shares: calls with the driver's usual deadline, the Error
// that an answer of the engine means, and labels as the engine has them.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "drivers/docker/http.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

// Thread-safe. `http` must outlive it.
struct DockerApi {
    DockerHttp& http;
    Duration deadline;  // of each call below

    Result<DockerReply> get(const std::string& path) const;
    Result<DockerReply> post(const std::string& path, const json::Value* body = nullptr) const;
    Result<DockerReply> erase(const std::string& path) const;
};

// The Error for an answer that is no success. `doing` says what failed ("unit \"x\" cannot be
// removed"); the message ends with what the engine itself said, as engine_words() cuts it.
Error docker_error(const DockerReply& reply, std::string_view doing);
// A text of the engine as a message may hold it: one line of at most 300 bytes of UTF-8, without
// user names and passwords of URLs.
std::string engine_words(std::string_view text);

// The engine's `filters` for units, networks, volumes or images with all of these labels:
// {"label":["a=b"]}. To be escaped in a query.
json::Document label_filter(const Labels& having);
// The body that creates a network or a volume: {"Name":...,"Labels":{...}}.
json::Document named(const std::string& name, const Labels& labels);
// The labels of a JSON object of strings; whatever else is in it is left out.
Labels labels_of(const json::Value* object);

}  // namespace atelier::drivers
