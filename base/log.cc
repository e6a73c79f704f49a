#include "base/log.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace atelier {
namespace {

void append_json(std::string& out, std::string_view key, std::string_view value) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
    out += fmt::format(",\"{}\":{}", key, std::string_view(buffer.GetString(), buffer.GetSize()));
}

void append_text(std::string& out, std::string_view key, std::string_view value) {
    if (value.find_first_of(" \"\n=") == std::string_view::npos && !value.empty()) {
        out += fmt::format(" {}={}", key, value);
        return;
    }
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
    out += fmt::format(" {}={}", key, std::string_view(buffer.GetString(), buffer.GetSize()));
}

}  // namespace

struct Log::Sink {
    std::shared_ptr<spdlog::logger> logger;
    Format format = Format::text;
    void append(std::string& out, std::string_view key, std::string_view value) const {
        format == Format::json ? append_json(out, key, value) : append_text(out, key, value);
    }
};

Log::Log() = default;

Log Log::to_stderr(Level least, Format format) {
    Log log;
    log.sink_ = std::make_shared<Sink>();
    log.sink_->format = format;
    log.sink_->logger = std::make_shared<spdlog::logger>(
        "atelier", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    log.sink_->logger->set_pattern(format == Format::json
                                       ? "{\"ts\":\"%Y-%m-%dT%H:%M:%S.%fZ\",\"level\":\"%l\",%v}"
                                       : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v",
                                   spdlog::pattern_time_type::utc);
    static constexpr spdlog::level::level_enum levels[] = {
        spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
    log.sink_->logger->set_level(levels[static_cast<int>(least)]);
    log.sink_->logger->flush_on(spdlog::level::debug);
    return log;
}

Log Log::with(std::string_view key, std::string_view value) const {
    Log log = *this;
    if (sink_) sink_->append(log.carried_, key, value);
    return log;
}

void Log::debug(std::string_view m, Fields f) const {
    write(Level::debug, m, f, nullptr);
}
void Log::info(std::string_view m, Fields f) const {
    write(Level::info, m, f, nullptr);
}
void Log::warning(std::string_view m, Fields f) const {
    write(Level::warning, m, f, nullptr);
}
void Log::error(std::string_view m, Fields f) const {
    write(Level::error, m, f, nullptr);
}
void Log::error(std::string_view m, const Error& e, Fields f) const {
    write(Level::error, m, f, &e);
}

void Log::write(Level level, std::string_view message, Fields fields, const Error* error) const {
    if (!sink_) return;
    static constexpr spdlog::level::level_enum levels[] = {
        spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
    const auto at = levels[static_cast<int>(level)];
    if (!sink_->logger->should_log(at)) return;
    std::string line;
    if (sink_->format == Format::json) {
        append_json(line, "msg", message);
        line.erase(0, 1);
    } else {
        line = message;
    }
    line += carried_;
    for (const auto& [key, value] : fields) sink_->append(line, key, value);
    if (error) {
        sink_->append(line, "err", error->message);
        sink_->append(line, "code", name_of(error->code));
        if (!error->detail.empty()) sink_->append(line, "detail", error->detail);
    }
    sink_->logger->log(at, fmt::string_view("{}"), line);
}

}  // namespace atelier
