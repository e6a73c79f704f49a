// An Api over a store in memory, with time and chance in the test's hand.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "apiserver/api.h"
#include "base/json.h"
#include "base/text.h"
#include "store/open.h"

namespace atelier::apiserver::test {

class HandClock final : public Clock {
  public:
    Instant now() const override { return Instant(Duration(micros_.load())); }
    void advance(Duration by) { micros_ += by.count(); }

  private:
    std::atomic<std::int64_t> micros_{1'767'225'600'000'000};  // 2026-01-01T00:00:00Z
};

// What one request was answered.
class Answer final : public ResponseSink {
  public:
    void reply(int code, Headers h, Frame b) override {
        EXPECT_FALSE(answered) << "answered twice";
        answered = true;
        status = code;
        headers = std::move(h);
        body = *b;
    }
    void start(int code, Headers h) override {
        EXPECT_FALSE(answered) << "answered twice";
        answered = streaming = true;
        status = code;
        headers = std::move(h);
    }
    bool write(Frame frame) override {
        if (cut) return false;
        frames.push_back(frame);
        body += *frame;
        return true;
    }
    std::size_t queued() const override { return pretend_queued; }
    void finish() override { finished = true; }
    void on_closed(std::function<void()> call) override { closed = std::move(call); }

    std::string header(std::string_view name) const {
        for (const auto& [key, value] : headers) {
            if (lower(key) == lower(name)) return value;
        }
        return {};
    }
    json::Document json() const {
        auto parsed = json::parse(body);
        EXPECT_TRUE(parsed) << body;
        return parsed ? *std::move(parsed) : json::Document(rapidjson::kObjectType);
    }
    std::string at(std::initializer_list<std::string_view> path) const {
        const json::Document document = json();
        const json::Value* value = json::find(document, path);
        if (!value) return "<absent>";
        return value->IsString() ? std::string(json::view(*value)) : json::text(*value);
    }
    // The lines of a watch that were written since the last call: "ADDED w1 7".
    std::vector<std::string> events() {
        std::vector<std::string> out;
        for (const std::string& line : split(body.substr(read_), '\n')) {
            if (line.empty()) continue;
            const auto event = json::parse(line);
            EXPECT_TRUE(event) << line;
            if (!event) continue;
            const json::Value* object = json::find(*event, {"object"});
            out.push_back(json::string_at(*event, {"type"}) + " " +
                          json::string_at(*object, {"metadata", "name"}) + " " +
                          json::string_at(*object, {"metadata", "resourceVersion"}));
        }
        read_ = body.size();
        return out;
    }

    bool answered = false;
    bool streaming = false;
    bool finished = false;
    bool cut = false;
    std::size_t pretend_queued = 0;
    int status = 0;
    Headers headers;
    std::string body;
    std::vector<Frame> frames;
    std::function<void()> closed;

  private:
    std::size_t read_ = 0;
};

inline std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

inline Request request_of(std::string method, std::string_view target) {
    Request request;
    request.method = std::move(method);
    request.target = target;
    const std::size_t mark = target.find('?');
    request.path = target.substr(0, mark);
    for (const std::string& segment : split(request.path, '/')) {
        if (!segment.empty()) request.segments.push_back(decoded(segment));
    }
    if (mark == std::string_view::npos) return request;
    for (const std::string& part : split(target.substr(mark + 1), '&')) {
        const std::size_t equals = part.find('=');
        request.query.emplace_back(
            decoded(part.substr(0, equals)),
            equals == std::string::npos ? "" : decoded(part.substr(equals + 1)));
    }
    return request;
}

// The kinds never change: one copy for all tests.
inline const crds::Kinds& shared_kinds() {
    static const crds::Kinds kinds = [] {
        auto made = crds::atelier_kinds();
        EXPECT_TRUE(made) << (made ? "" : made.error().message);
        crds::add_core_kinds(*made);
        return *std::move(made);
    }();
    return kinds;
}

class ApiWorld : public testing::Test {
  protected:
    ApiWorld() {
        store::Options options;
        options.url = "memory:";
        options.commit_inline = true;
        options.events_kept = 50;
        auto opened = store::open(options, clock, random, metrics, Log());
        EXPECT_TRUE(opened);
        store = *std::move(opened);
        ApiOptions api_options;
        api_options.credentials = {{"right", "admin", {"system:masters"}}};
        api_options.own_thread = false;
        api_options.ready = {{"extra", [this] { return extra_health; }}};
        api = std::make_unique<Api>(*store, shared_kinds(), clock, random, metrics, Log(),
                                    api_options);
        EXPECT_TRUE(api->seed());
    }

    std::shared_ptr<Answer> send(Request request) {
        auto answer = std::make_shared<Answer>();
        request.headers.emplace_back("authorization", "Bearer right");
        api->handle(std::move(request), answer);
        return answer;
    }
    std::shared_ptr<Answer> get(std::string_view target, std::string_view accept = {}) {
        Request request = request_of("GET", target);
        if (!accept.empty()) request.headers.emplace_back("accept", accept);
        return send(std::move(request));
    }
    std::shared_ptr<Answer> send(std::string method, std::string_view target, std::string body,
                                 std::string_view type = {}) {
        Request request = request_of(std::move(method), target);
        request.body = std::move(body);
        if (!type.empty()) request.headers.emplace_back("content-type", type);
        return send(std::move(request));
    }
    std::shared_ptr<Answer> post(std::string_view target, std::string body,
                                 std::string_view type = {}) {
        return send("POST", target, std::move(body), type);
    }
    std::shared_ptr<Answer> merge(std::string_view target, std::string body) {
        return send("PATCH", target, std::move(body), "application/merge-patch+json");
    }
    std::shared_ptr<Answer> make_workspace(const std::string& name, const std::string& more = {}) {
        auto answer = post(workspaces, R"({"metadata":{"name":")" + name + "\"" + more +
                                           R"(},"spec":{"runtime":"hermes"}})");
        EXPECT_EQ(answer->status, 201) << answer->body;
        return answer;
    }
    std::shared_ptr<Answer> watch(std::string_view query, std::string_view accept = {}) {
        auto answer = get(std::string(workspaces) + "?watch=true" + std::string(query), accept);
        api->pump();
        return answer;
    }

    static constexpr std::string_view workspaces =
        "/apis/atelier.dev/v1alpha1/namespaces/default/workspaces";
    static constexpr std::string_view table =
        "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;"
        "g=meta.k8s.io,application/json";

    HandClock clock;
    SeededRandom random{1};
    Metrics metrics;
    Result<void> extra_health;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<Api> api;
};

inline std::string at(std::string_view collection, std::string_view name) {
    return std::string(collection) + "/" + std::string(name);
}

}  // namespace atelier::apiserver::test
