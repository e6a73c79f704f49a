#include "reconcilers/common/status.h"

namespace atelier::reconcilers {
namespace {

constexpr std::size_t longest_message = 2000;

// At the beginning of a character.
std::string_view cut(std::string_view text) {
    if (text.size() <= longest_message) return text;
    std::size_t end = longest_message;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

}  // namespace

void set_condition(crds::StatusBase& status, std::string_view type, crds::ConditionStatus value,
                   std::string_view reason, std::string_view message, Instant now) {
    status.set({.type = std::string(type),
                .status = value,
                .reason = std::string(reason),
                .message = std::string(cut(message)),
                .last_transition_time = now,
                .observed_generation = status.observed_generation},
               now);
}

Retry retry_of(Code code) {
    switch (code) {
        case Code::invalid:
        case Code::unsupported:
            return Retry::on_change;
        case Code::not_found:
        case Code::unauthenticated:
        case Code::forbidden:
        case Code::too_large:
            return Retry::at_interval;
        default:
            return Retry::soon;
    }
}

std::string_view reason_of_source(Code code) {
    switch (code) {
        case Code::invalid:
            return "InvalidSource";
        case Code::unsupported:
            return "UnsupportedSource";
        case Code::not_found:
            return "SourceNotFound";
        case Code::unauthenticated:
        case Code::forbidden:
            return "SourceAccessDenied";
        case Code::too_large:
            return "SourceTooLarge";
        case Code::exhausted:
            return "DiskFull";
        default:
            return "SourceFetchFailed";
    }
}

}  // namespace atelier::reconcilers
