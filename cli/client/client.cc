#include "cli/client/client.h"

#include "base/text.h"

namespace atelier::cli {
namespace {

constexpr std::string_view page_size = "500";
constexpr int most_empty_streams = 5;

std::string target_of(const std::string& path, const Query& query) {
    std::string out = path;
    char separator = '?';
    for (const auto& [name, value] : query) {
        out += separator + percent_encode(name) + "=" + percent_encode(value);
        separator = '&';
    }
    return out;
}

HttpRequest request_of(const Call& call) {
    HttpRequest out{
        call.method, target_of(call.path, call.query), {{"Accept", call.accept}}, call.body};
    if (!call.content_type.empty()) out.headers.emplace_back("Content-Type", call.content_type);
    return out;
}

Code code_of(int http_status, std::string_view reason) {
    static constexpr std::pair<std::string_view, Code> reasons[] = {
        {"NotFound", Code::not_found},
        {"AlreadyExists", Code::already_exists},
        {"Conflict", Code::conflict},
        {"Expired", Code::gone},
        {"Gone", Code::gone},
        {"Unauthorized", Code::unauthenticated},
        {"Forbidden", Code::forbidden},
        {"Invalid", Code::invalid},
        {"BadRequest", Code::invalid},
        {"Timeout", Code::timeout},
        {"ServerTimeout", Code::timeout},
        {"ServiceUnavailable", Code::unavailable},
        {"TooManyRequests", Code::exhausted}};
    for (const auto& [text, code] : reasons) {
        if (text == reason) return code;
    }
    switch (http_status) {
        case 400:
        case 422:
            return Code::invalid;
        case 401:
            return Code::unauthenticated;
        case 403:
            return Code::forbidden;
        case 404:
            return Code::not_found;
        case 405:
        case 406:
        case 415:
            return Code::unsupported;
        case 409:
            return Code::conflict;
        case 410:
            return Code::gone;
        case 413:
            return Code::too_large;
        case 429:
        case 507:
            return Code::exhausted;
        case 503:
            return Code::unavailable;
        case 504:
            return Code::timeout;
        default:
            return Code::internal;
    }
}

// Warning headers (RFC 7234, 5.5) look like `299 - "text"`; several are joined by commas.
void for_each_warning(std::string_view header,
                      const std::function<void(const std::string&)>& warn) {
    while (true) {
        const std::size_t open = header.find('"');
        if (open == header.npos) return;
        std::string text;
        std::size_t i = open + 1;
        for (; i < header.size() && header[i] != '"'; ++i) {
            if (header[i] == '\\' && i + 1 < header.size()) ++i;
            text += header[i];
        }
        warn(text);
        if (i >= header.size()) return;
        header.remove_prefix(i + 1);
    }
}

Error not_understood(std::string_view path) {
    return {Code::internal, "the server's answer to " + std::string(path) +
                                " is not what a Kubernetes API says: is this the right server?"};
}

Result<json::Document> parse_answer(const HttpAnswer& answer, const std::string& path) {
    if (answer.status >= 300) {
        const auto status = json::parse(answer.body);
        if (status && status->IsObject()) return error_of_status(answer.status, *status);
        return Error{code_of(answer.status, ""),
                     "the server answered " + std::to_string(answer.status) + " to " + path};
    }
    auto document = json::parse(answer.body);
    if (!document) return not_understood(path);
    return document;
}

std::string revision_of(const json::Value& object) {
    return json::string_at(object, {"metadata", "resourceVersion"});
}

class ApiWatch final : public Watch {
  public:
    ApiWatch(HttpClient& http, Call call, std::string revision)
        : http_(http), call_(std::move(call)), revision_(std::move(revision)) {}

    Result<std::optional<WatchEvent>> next(Duration patience) override {
        if (!lines_) TRY(open());
        auto line = lines_->next(patience);
        if (!line) {
            // The server's time limit, a restart or a broken connection ended the stream. The next
            // call opens it again from the last revision; open() fails when the server is gone.
            lines_.reset();
            if (++empty_streams_ > most_empty_streams) return line.error();
            return std::optional<WatchEvent>{};
        }
        if (!*line) return std::optional<WatchEvent>{};
        empty_streams_ = 0;
        return read(**line);
    }

    Result<void> open() {
        Call call = call_;
        if (!revision_.empty()) call.query.emplace_back("resourceVersion", revision_);
        auto lines = TRY(http_.stream(request_of(call)));
        if (lines->status() >= 300) {
            std::string body;
            const auto text = lines->next(std::chrono::seconds(5));
            if (text && *text) body = **text;
            return parse_answer({lines->status(), {}, body}, call_.path).error();
        }
        lines_ = std::move(lines);
        return {};
    }

  private:
    Result<std::optional<WatchEvent>> read(const std::string& line) {
        auto event = json::parse(line);
        if (!event || !event->IsObject()) return not_understood(call_.path);
        WatchEvent out{json::string_at(*event, {"type"}), {}};
        const json::Value* const object = json::find(*event, {"object"});
        if (!object) return not_understood(call_.path);
        if (out.type == "ERROR") return error_of_status(0, *object);
        note_revision(*object);
        if (out.type == "BOOKMARK") return std::optional<WatchEvent>{};
        out.object = json::copy(*object);
        return std::optional<WatchEvent>(std::move(out));
    }
    void note_revision(const json::Value& object) {
        std::string revision = revision_of(object);
        const json::Value* const rows = json::find(object, {"rows"});
        if (rows && rows->IsArray() && !rows->Empty()) {
            const json::Value* const inner = json::find((*rows)[0], {"object"});
            if (inner) revision = revision_of(*inner);
        }
        if (!revision.empty()) revision_ = revision;
    }

    HttpClient& http_;
    const Call call_;
    std::string revision_;
    std::unique_ptr<LineStream> lines_;
    int empty_streams_ = 0;  // ended without a line, one after the other
};

}  // namespace

std::string percent_encode(std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

Error error_of_status(int http_status, const json::Value& status) {
    const json::Value* const code = json::find(status, {"code"});
    if (code && code->IsInt()) http_status = code->GetInt();
    Error out{code_of(http_status, json::string_at(status, {"reason"})),
              json::string_at(status, {"message"})};
    if (out.message.empty()) {
        out.message = "the server answered " + std::to_string(http_status);
    }
    if (out.code == Code::unauthenticated) {
        out.message = "the server does not know you: the token of the kubeconfig is not accepted";
    }
    const json::Value* const causes = json::find(status, {"details", "causes"});
    for (rapidjson::SizeType i = 0; causes && causes->IsArray() && i < causes->Size(); ++i) {
        out.causes.push_back({json::string_at((*causes)[i], {"field"}),
                              json::string_at((*causes)[i], {"reason"}),
                              json::string_at((*causes)[i], {"message"})});
    }
    return out;
}

Client::Client(std::unique_ptr<HttpClient> http, std::function<void(const std::string&)> warn)
    : http_(std::move(http)), warn_(std::move(warn)) {}

Result<HttpAnswer> Client::raw(const Call& call) {
    HttpAnswer answer = TRY(http_->send(request_of(call)));
    if (const auto it = answer.headers.find("warning"); it != answer.headers.end()) {
        for_each_warning(it->second, warn_);
    }
    return answer;
}

Result<json::Document> Client::call(const Call& call) {
    const HttpAnswer answer = TRY(raw(call));
    return parse_answer(answer, call.path);
}

Result<json::Document> Client::get(const Resource& resource, std::string_view ns,
                                   std::string_view name) {
    return call({"GET", resource.path(ns, name)});
}

Result<void> Client::list(const Resource& resource, std::string_view ns, const Query& query,
                          std::string_view accept,
                          const std::function<Result<void>(json::Document page)>& take) {
    std::string after;
    do {
        Call page{"GET", resource.path(ns), query, std::string(accept)};
        page.query.emplace_back("limit", page_size);
        if (!after.empty()) page.query.emplace_back("continue", after);
        json::Document document = TRY(call(page));
        after = json::string_at(document, {"metadata", "continue"});
        TRY(take(std::move(document)));
    } while (!after.empty());
    return {};
}

Result<std::vector<json::Document>> Client::items(const Resource& resource, std::string_view ns,
                                                  const Query& query, std::string* revision) {
    std::vector<json::Document> out;
    TRY(list(resource, ns, query, "application/json", [&](const json::Document& page) {
        if (revision) *revision = revision_of(page);
        const json::Value* const items = json::find(page, {"items"});
        if (!items || !items->IsArray()) return Result<void>(not_understood(resource.plural));
        for (const auto& item : items->GetArray()) out.push_back(json::copy(item));
        return Result<void>();
    }));
    return out;
}

Result<json::Document> Client::merge_patch(const Resource& resource, std::string_view ns,
                                           std::string_view name, const json::Value& patch,
                                           const Query& query) {
    Call request{"PATCH", resource.path(ns, name), query};
    request.query.emplace_back("fieldManager", "atelier");
    request.content_type = "application/merge-patch+json";
    request.body = json::text(patch);
    return call(request);
}

Result<std::unique_ptr<Watch>> Client::watch(const Resource& resource, std::string_view ns,
                                             Query query, std::string revision,
                                             std::string_view accept) {
    query.emplace_back("watch", "true");
    query.emplace_back("allowWatchBookmarks", "true");
    auto out = std::make_unique<ApiWatch>(
        *http_, Call{"GET", resource.path(ns), std::move(query), std::string(accept)},
        std::move(revision));
    TRY(out->open());
    return std::unique_ptr<Watch>(std::move(out));
}

}  // namespace atelier::cli
