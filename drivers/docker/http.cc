#include "drivers/docker/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace atelier::drivers {

namespace {

constexpr std::size_t most_body = std::size_t{64} << 20;
constexpr std::size_t most_idle = 16;
// The newest version whose replies this driver was written for.
constexpr int newest_minor = 41;
// The oldest that has all that it asks for.
constexpr int oldest_minor = 40;

struct ListFree {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, ListFree>;

struct MultiFree {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

// One call under way.
struct Exchange {
    const DockerRequest& request;
    CURL* handle;
    DockerReply reply = {};
    std::optional<Error> failed = {};  // of our own side: the upload, or a reply that is too large
    std::string api_version = {};
    std::string date = {};
    std::array<char, CURL_ERROR_SIZE> text = {};
};

size_t take_body(char* bytes, size_t one, size_t count, void* user) {
    auto& exchange = *static_cast<Exchange*>(user);
    const std::size_t size = one * count;
    if (exchange.request.sink) {
        long status = 0;
        curl_easy_getinfo(exchange.handle, CURLINFO_RESPONSE_CODE, &status);
        if (status >= 200 && status < 300) {
            exchange.request.sink({bytes, size});
            return size;
        }
    }
    if (exchange.reply.body.size() + size > most_body) {
        exchange.failed = Error{Code::too_large, "the answer of the Docker engine is too large"};
        return CURL_WRITEFUNC_ERROR;
    }
    exchange.reply.body.append(bytes, size);
    return size;
}

size_t give_body(char* buffer, size_t one, size_t count, void* user) {
    auto& exchange = *static_cast<Exchange*>(user);
    auto size = exchange.request.upload(buffer, one * count);
    if (size) return *size;
    exchange.failed = std::move(size).error();
    return CURL_READFUNC_ABORT;
}

size_t take_header(char* bytes, size_t one, size_t count, void* user) {
    auto& exchange = *static_cast<Exchange*>(user);
    std::string_view line(bytes, one * count);
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
        std::string name(line.substr(0, colon));
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        std::string_view value = line.substr(colon + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        if (name == "api-version") exchange.api_version = value;
        if (name == "date") exchange.date = value;
    }
    return one * count;
}

Error transport_error(CURLcode code, const Exchange& exchange) {
    const std::string detail = std::string(curl_easy_strerror(code)) + ": " + exchange.text.data() +
                               " (" + exchange.request.method + " " + exchange.request.path + ")";
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return {Code::timeout, "the Docker engine did not answer in time", detail};
    }
    if (code == CURLE_OUT_OF_MEMORY) return {Code::exhausted, "no memory for a call", detail};
    return {Code::unavailable, "the Docker engine cannot be reached", detail};
}

void set_up(CURL* handle, Exchange& exchange) {
    const DockerRequest& request = exchange.request;
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, 10'000L);
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, exchange.text.data());
    const auto deadline = std::chrono::ceil<std::chrono::milliseconds>(request.deadline).count();
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(deadline));
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
    if (request.method == "HEAD") {
        curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    } else if (request.upload) {
        curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
        curl_easy_setopt(handle, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(handle, CURLOPT_READDATA, &exchange);
        // What was sent cannot be sent again: not over a connection that may be dead.
        curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
    } else if (request.method != "GET") {
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
    }
    if (request.method != "HEAD") {
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
}

Headers headers_of(const DockerRequest& request) {
    Headers headers;
    const auto add = [&](const std::string& line) {
        headers.reset(curl_slist_append(headers.release(), line.c_str()));
    };
    add("Expect:");
    if (request.upload) add("Transfer-Encoding: chunked");
    add(request.method == "GET" ? "Content-Type:" : "Content-Type: " + request.content_type);
    return headers;
}

// Performs, and ends early when `stop` is requested: the wait is on a multi handle that the request
// to stop wakes.
CURLcode perform(CURL* handle, const std::stop_token& stop, bool& stopped) {
    if (!stop.stop_possible()) return curl_easy_perform(handle);
    const std::unique_ptr<CURLM, MultiFree> multi(curl_multi_init());
    if (!multi) return CURLE_OUT_OF_MEMORY;
    curl_multi_add_handle(multi.get(), handle);
    CURLcode code = CURLE_OK;
    {
        const std::stop_callback wake(stop, [&] { curl_multi_wakeup(multi.get()); });
        int running = 1;
        while (running > 0 && !stop.stop_requested()) {
            if (curl_multi_perform(multi.get(), &running) != CURLM_OK) {
                code = CURLE_RECV_ERROR;
                break;
            }
            if (running > 0) curl_multi_poll(multi.get(), nullptr, 0, 1000, nullptr);
        }
        stopped = running > 0 && stop.stop_requested();
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
        if (message->msg == CURLMSG_DONE) code = message->data.result;
    }
    curl_multi_remove_handle(multi.get(), handle);
    return code;
}

}  // namespace

std::string DockerReply::message() const {
    if (auto parsed = json::parse(body); parsed && parsed->IsObject()) {
        const std::string text = json::string_at(*parsed, {"message"});
        if (!text.empty()) return text;
    }
    return body.substr(0, 1000);
}

Result<json::Document> DockerReply::json() const {
    auto parsed = json::parse(body);
    if (parsed) return parsed;
    return Error{Code::internal, "the Docker engine gave an answer that is not JSON",
                 parsed.error().message};
}

std::string url_escape(std::string_view text) {
    constexpr std::string_view plain = "-._~";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter || (c >= '0' && c <= '9') || plain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

// --- connections ---------------------------------------------------------------------------

// A handle of the pool, back in it at the end of the scope.
struct DockerHttp::Lease {
    explicit Lease(DockerHttp& a_pool) : pool(a_pool), handle(a_pool.borrow()) {}
    ~Lease() {
        if (handle) pool.give_back(handle);
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    DockerHttp& pool;
    CURL* handle;
};

void* DockerHttp::borrow() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            void* handle = idle_.back();
            idle_.pop_back();
            return handle;
        }
    }
    return curl_easy_init();
}

void DockerHttp::give_back(void* handle) {
    curl_easy_reset(handle);  // keeps the connection
    const std::lock_guard lock(mutex_);
    if (idle_.size() < most_idle) {
        idle_.push_back(handle);
    } else {
        curl_easy_cleanup(handle);
    }
}

Result<std::unique_ptr<DockerHttp>> DockerHttp::open(const std::string& host,
                                                     const std::optional<DockerTls>& tls) {
    std::unique_ptr<DockerHttp> http(new DockerHttp);
    constexpr std::string_view unix_scheme = "unix://";
    constexpr std::string_view tcp_scheme = "tcp://";
    if (host.starts_with(unix_scheme) && host.size() > unix_scheme.size() &&
        host[unix_scheme.size()] == '/') {
        http->socket_ = host.substr(unix_scheme.size());
        http->base_ = "http://docker";
    } else if (host.starts_with(tcp_scheme) && host.size() > tcp_scheme.size() &&
               host.find_first_of("/@?# ", tcp_scheme.size()) == std::string::npos) {
        http->base_ = (tls ? "https://" : "http://") + host.substr(tcp_scheme.size());
        http->tls_ = tls;
    } else {
        return Error{Code::invalid,
                     "docker host must be \"unix:///path/of/socket\" or \"tcp://host:port\""};
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return Error{Code::internal, "the HTTP client cannot be set up"};
    }
    return http;
}

DockerHttp::~DockerHttp() {
    for (void* handle : idle_) curl_easy_cleanup(handle);
}

// --- calls ---------------------------------------------------------------------------------

std::int64_t DockerHttp::first_contact() const {
    const std::lock_guard lock(mutex_);
    return first_contact_;
}

void DockerHttp::address(void* handle, const std::string& path) const {
    CURL* easy = handle;
    if (!socket_.empty()) curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
    if (tls_) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, tls_->ca_file.c_str());
        curl_easy_setopt(easy, CURLOPT_SSLCERT, tls_->certificate_file.c_str());
        curl_easy_setopt(easy, CURLOPT_SSLKEY, tls_->key_file.c_str());
    }
    curl_easy_setopt(easy, CURLOPT_URL, (base_ + path).c_str());
}

// The version of the API for this connection: asked for once, and again after the daemon was away,
// since another one may have taken its place.
Result<std::string> DockerHttp::version(Duration deadline) {
    {
        const std::lock_guard lock(mutex_);
        if (!version_.empty()) return version_;
    }
    const Lease lease(*this);
    if (!lease.handle) return Error{Code::exhausted, "no memory for a connection"};
    const DockerRequest request{.method = "HEAD", .path = "/_ping", .deadline = deadline};
    Exchange exchange{request, lease.handle};
    set_up(lease.handle, exchange);
    address(lease.handle, "/_ping");
    const CURLcode code = curl_easy_perform(lease.handle);
    if (code != CURLE_OK) return transport_error(code, exchange);

    int minor = 0;
    const std::string_view answered = exchange.api_version;
    if (!answered.starts_with("1.") ||
        std::from_chars(answered.data() + 2, answered.data() + answered.size(), minor).ec !=
            std::errc{}) {
        return Error{Code::unavailable, "what answers at the docker host is not a Docker engine"};
    }
    if (minor < oldest_minor) {
        return Error{Code::unsupported, "the Docker engine is too old: it speaks API 1." +
                                            std::to_string(minor) + ", needed is 1." +
                                            std::to_string(oldest_minor) + " or newer"};
    }
    const std::string version = "/v1." + std::to_string(std::min(minor, newest_minor));
    const time_t date = curl_getdate(exchange.date.c_str(), nullptr);
    const std::lock_guard lock(mutex_);
    version_ = version;
    if (first_contact_ == 0 && date > 0) first_contact_ = date;
    return version;
}

Result<DockerReply> DockerHttp::call(const DockerRequest& request) {
    const bool limited = request.deadline > Duration::zero();
    const std::string prefix = TRY(version(limited ? request.deadline : std::chrono::seconds(60)));
    const Lease lease(*this);
    if (!lease.handle) return Error{Code::exhausted, "no memory for a connection"};
    Exchange exchange{request, lease.handle};
    set_up(lease.handle, exchange);
    address(lease.handle, prefix + request.path);
    const Headers headers = headers_of(request);
    curl_easy_setopt(lease.handle, CURLOPT_HTTPHEADER, headers.get());

    bool stopped = false;
    const CURLcode code = perform(lease.handle, request.stop, stopped);
    if (stopped) return Error{Code::cancelled, "the call was stopped"};
    if (exchange.failed) return *exchange.failed;
    if (code != CURLE_OK) {
        if (code != CURLE_OPERATION_TIMEDOUT) {
            const std::lock_guard lock(mutex_);
            version_.clear();
        }
        return transport_error(code, exchange);
    }
    long status = 0;
    curl_easy_getinfo(lease.handle, CURLINFO_RESPONSE_CODE, &status);
    exchange.reply.status = static_cast<int>(status);
    return std::move(exchange.reply);
}

}  // namespace atelier::drivers
