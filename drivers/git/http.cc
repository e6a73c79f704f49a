#include "drivers/git/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"

namespace atelier::drivers {
namespace {

using std::chrono::milliseconds;

long whole_milliseconds(Duration duration) {
    return static_cast<long>(std::chrono::ceil<milliseconds>(duration).count());
}

class Headers {
  public:
    ~Headers() { curl_slist_free_all(list_); }
    Headers() = default;
    Headers(const Headers&) = delete;
    Headers& operator=(const Headers&) = delete;
    void add(const std::string& line) {
        curl_slist* longer = curl_slist_append(list_, line.c_str());
        CHECK(longer);
        list_ = longer;
    }
    curl_slist* get() const { return list_; }

  private:
    curl_slist* list_ = nullptr;
};

Result<std::string> authorization(const GitCredential& credential) {
    const std::string secret(trim(credential.secret));  // files often end with a line end
    const auto printable = [](const std::string& text) {
        return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
    };
    if (secret.empty() || !printable(secret) || !printable(credential.username)) {
        return Error{Code::invalid, "the git credential is empty or not printable ASCII"};
    }
    const bool word = std::all_of(credential.scheme.begin(), credential.scheme.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    });
    if (!word) return Error{Code::invalid, "the git credential's scheme must be one word"};
    if (!credential.scheme.empty()) return credential.scheme + " " + secret;
    if (credential.username.empty()) return "Bearer " + secret;
    return "Basic " + base64(credential.username + ":" + secret);
}

}  // namespace

struct GitHttp::State {
    const GitRemote& remote;
    const GitOptions& options;
    const Clock& clock;
    GitGate::Pass& pass;
    const std::string url;  // without a trailing slash
    const Instant deadline;
    CURL* curl = curl_easy_init();

    // Of the request that is under way.
    const GitRequest* request = nullptr;
    const OnBytes* on_bytes = nullptr;
    std::int64_t received = 0;
    bool answer_checked = false;
    std::optional<Error> error = {};

    Error about(Code code, std::string_view what, std::string detail = {}) const {
        return {code, fmt::format("git {}: {}", url, what), std::move(detail)};
    }
    std::optional<Error> check_answer() const;
    Error error_of(CURLcode code, const char* text) const;
    std::string_view why_not_trusted() const;
    bool take(std::string_view bytes);
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
    static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
    void configure(const Headers& headers, char* error_text);
};

// What the status line and headers say: an error, unless a git server answers what was asked.
std::optional<Error> GitHttp::State::check_answer() const {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    const std::string detail = fmt::format("HTTP status {}", status);
    if (status == 401 || status == 403) {
        return about(Code::unauthenticated,
                     remote.credential ? "the server refuses the credential"
                                       : "the server wants a credential, or there is no such "
                                         "repository; name a Secret",
                     detail);
    }
    if (status == 404 || status == 410) {
        return about(Code::not_found, "there is no such repository, or it may not be seen", detail);
    }
    if (status >= 300 && status < 400) {
        return about(Code::unsupported,
                     "the server redirects elsewhere, which is not followed; use the final URL",
                     detail);
    }
    if (status == 413)
        return about(Code::too_large, "the server refuses the request as too large", detail);
    if (status != 200) {
        return about(Code::unavailable, fmt::format("the server answers with status {}", status),
                     detail);
    }

    const char* type = nullptr;
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    const std::string given = lower(type ? type : "");
    if (given.substr(0, given.find(';')) != request->answer_type) {
        return about(Code::unsupported,
                     "what answers there is not a git server with the smart HTTP protocol",
                     "Content-Type " + given.substr(0, 100));
    }
    return std::nullopt;
}

std::string_view GitHttp::State::why_not_trusted() const {
    // As OpenSSL numbers them in X509_STORE_CTX_get_error(3).
    constexpr long good = 0;
    constexpr long unspecified = 1;  // what libcurl leaves when it was the name that did not fit
    constexpr long not_yet_valid = 9;
    constexpr long has_expired = 10;
    long result = good;
    curl_easy_getinfo(curl, CURLINFO_SSL_VERIFYRESULT, &result);
    switch (result) {
        case good:
        case unspecified:
            return "the server's certificate is for another name than the one in the URL";
        case not_yet_valid:
            return "the server's certificate, or one above it, is not valid yet";
        case has_expired:
            return "the server's certificate, or one above it, has expired";
        default:
            return "the server's certificate is not trusted; add its CA as ca.crt to the Secret";
    }
}

Error GitHttp::State::error_of(CURLcode code, const char* text) const {
    const std::string detail = fmt::format("{} ({})", text, static_cast<int>(code));
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return about(Code::timeout, "no answer within the deadline", detail);
        case CURLE_COULDNT_RESOLVE_HOST:
            return about(Code::unavailable, "the host's name is not known", detail);
        case CURLE_COULDNT_CONNECT:
            return about(Code::unavailable, "the host refuses the connection", detail);
        case CURLE_PEER_FAILED_VERIFICATION:
            return about(Code::unavailable, why_not_trusted(), detail);
        case CURLE_SSL_CONNECT_ERROR:
            return about(Code::unavailable,
                         "no TLS connection could be made; is its URL perhaps http://?", detail);
        case CURLE_SSL_CACERT_BADFILE:
            return about(Code::invalid, "the CA certificates cannot be read", detail);
        case CURLE_URL_MALFORMAT:
            return about(Code::invalid, "the URL is wrong", detail);
        case CURLE_ABORTED_BY_CALLBACK:
            return about(Code::cancelled, "this server is stopping", detail);
        case CURLE_OUT_OF_MEMORY:
            return about(Code::exhausted, "out of memory", detail);
        default:
            return about(Code::unavailable, "the connection failed", detail);
    }
}

// False ends the request; `error` says why.
bool GitHttp::State::take(std::string_view bytes) {
    if (!answer_checked) {
        answer_checked = true;
        error = check_answer();
    }
    if (!error) {
        received += static_cast<std::int64_t>(bytes.size());
        pass.heard(static_cast<std::int64_t>(bytes.size()));
        if (received > request->most_bytes) {
            error = about(Code::too_large,
                          fmt::format("the answer has more than {} bytes", request->most_bytes));
        } else if (auto taken = (*on_bytes)(bytes); !taken) {
            error = std::move(taken).error();
        }
    }
    return !error;
}

std::size_t GitHttp::State::on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& state = *static_cast<State*>(self);
    try {
        if (state.take({data, size * count})) return size * count;
    } catch (const std::exception& e) {  // libcurl is C: nothing may pass through it
        state.error = Error{Code::internal, "out of memory while reading from git", e.what()};
    }
    return size * count + 1;  // anything else than the count ends the transfer
}

// libcurl asks at least once a second; anything but 0 ends the transfer.
int GitHttp::State::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& state = *static_cast<State*>(self);
    if (state.options.stop.stop_requested()) return 1;
    if (!state.pass.must_give_up()) return 0;
    state.error = state.about(
        Code::timeout,
        "no answer within the deadline, a short one while other servers do not answer either");
    return 1;
}

void GitHttp::State::configure(const Headers& headers, char* error_text) {
    const auto set = [this](CURLoption option, auto value) {
        CHECK(curl_easy_setopt(curl, option, value) == CURLE_OK);
    };
    curl_easy_reset(curl);
    set(CURLOPT_ERRORBUFFER, error_text);
    set(CURLOPT_URL, (url + request->path).c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, options.proxy.c_str());  // an empty one also hides the environment's
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "git/2.39 (atelier)");  // some servers know git only by this
    set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_TIMEOUT_MS, whole_milliseconds(deadline - clock.now()));
    set(CURLOPT_CONNECTTIMEOUT_MS, whole_milliseconds(options.connect_deadline));
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME,
        std::max(1L, static_cast<long>(
                         std::chrono::duration_cast<std::chrono::seconds>(options.stall).count())));
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &State::on_progress);
    set(CURLOPT_XFERINFODATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &State::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    if (!remote.ca_pem.empty()) {
        // Beside the system's folder of certificates, which stays in force.
        curl_blob blob{const_cast<char*>(remote.ca_pem.data()), remote.ca_pem.size(),
                       CURL_BLOB_COPY};
        set(CURLOPT_CAINFO_BLOB, &blob);
    }
    if (!request->body.empty()) {
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDS, request->body.data());
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request->body.size()));
    }
}

GitHttp::GitHttp(const GitRemote& remote, const GitOptions& options, const Clock& clock,
                 GitGate::Pass& pass)
    : state_(new State{.remote = remote,
                       .options = options,
                       .clock = clock,
                       .pass = pass,
                       .url = remote.url.substr(0, remote.url.find_last_not_of('/') + 1),
                       .deadline = clock.now() + options.limits.deadline}) {
    CHECK(state_->curl);
}

GitHttp::~GitHttp() {
    curl_easy_cleanup(state_->curl);
}

Duration GitHttp::remaining() const {
    return std::max(Duration::zero(), state_->deadline - state_->clock.now());
}

Error GitHttp::timed_out() const {
    return state_->about(Code::timeout, "not done within the deadline");
}

Result<void> GitHttp::send(const GitRequest& request, const OnBytes& on_bytes) {
    if (remaining() == Duration::zero()) return timed_out();
    Headers headers;
    headers.add("Git-Protocol: version=2");
    headers.add("Expect:");
    headers.add("Accept: " + request.answer_type);
    if (!request.body.empty()) headers.add("Content-Type: application/x-git-upload-pack-request");
    if (state_->remote.credential) {
        const std::string value = TRY(authorization(*state_->remote.credential));
        headers.add("Authorization: " + value);
    }

    State& state = *state_;
    state.request = &request;
    state.on_bytes = &on_bytes;
    state.received = 0;
    state.answer_checked = false;
    state.error.reset();
    char error_text[CURL_ERROR_SIZE] = "";
    state.configure(headers, error_text);
    const CURLcode code = curl_easy_perform(state.curl);
    if (!state.error && code == CURLE_OK && !state.answer_checked)
        state.error = state.check_answer();
    // The handle lives on: it must not keep pointers to what ends with this call.
    curl_easy_setopt(state.curl, CURLOPT_ERRORBUFFER, nullptr);
    curl_easy_setopt(state.curl, CURLOPT_HTTPHEADER, nullptr);
    if (!state.error && code != CURLE_OK) state.error = state.error_of(code, error_text);
    if (state.answer_checked || code == CURLE_OK) state.pass.answered();
    if (state.error && state.error->code == Code::timeout) {
        state.pass.in_vain(state.error->message);
    }
    if (state.error) return *std::move(state.error);
    return {};
}

}  // namespace atelier::drivers
