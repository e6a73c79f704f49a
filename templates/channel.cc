#include "templates/channel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace atelier::templates {
namespace {

constexpr std::string_view bot_token = "bot_token";
constexpr std::string_view webhook_url = "webhook_url";
constexpr std::size_t shortest_bot_secret = 20;

// "<number of the bot>:<secret>"
bool is_telegram_token(std::string_view token) {
    const std::size_t colon = token.find(':');
    if (colon == 0 || colon == std::string_view::npos) return false;
    const std::string_view number = token.substr(0, colon);
    const std::string_view secret = token.substr(colon + 1);
    return number.find_first_not_of("0123456789") == std::string_view::npos &&
           secret.size() >= shortest_bot_secret &&
           std::all_of(secret.begin(), secret.end(),
                       [](char c) { return is_letter_or_digit(c) || c == '_' || c == '-'; });
}

bool is_reference(std::string_view value) {
    return value.find("${") != std::string_view::npos;
}

class Settings {
  public:
    explicit Settings(const crds::Channel& channel) : channel_(channel) {}

    bool has(std::string_view name) const { return !of(name).empty(); }

    std::string telegram() const {
        if (!has(bot_token) || !has("chat_id")) return "it needs bot_token and chat_id";
        if (is_reference(of(bot_token)) || is_telegram_token(of(bot_token))) return {};
        return "its bot_token is not of the form 123456:ABC…";
    }

    std::string slack() const {
        if (has(bot_token) && has("channel_id")) return {};
        if (has(webhook_url)) return webhook({"https://hooks.slack.com/"});
        return "it needs bot_token and channel_id, or webhook_url";
    }

    std::string webhook(const std::vector<std::string_view>& prefixes) const {
        if (!has(webhook_url)) return "it needs webhook_url";
        const std::string_view url = of(webhook_url);
        const bool fine =
            std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view prefix) {
                return url.starts_with(prefix) || (is_reference(url) && url.starts_with("${"));
            });
        if (fine) return {};
        return fmt::format("its webhook_url must begin with {}",
                           join({prefixes.begin(), prefixes.end()}, " or "));
    }

  private:
    std::string_view of(std::string_view name) const {
        const auto found = channel_.config.find(std::string(name));
        return found == channel_.config.end() ? std::string_view() : trim(found->second);
    }

    const crds::Channel& channel_;
};

}  // namespace

bool is_secret_setting(std::string_view name) {
    constexpr std::array<std::string_view, 6> ends = {"token",  "secret",  "password",
                                                      "apikey", "api_key", "webhook_url"};
    const std::string small = lower(name);
    return std::any_of(ends.begin(), ends.end(),
                       [&](std::string_view end) { return small.ends_with(end); });
}

std::string variable_of_setting(std::string_view type, std::string_view name) {
    std::string variable = fmt::format("CHANNEL_{}_{}", type, name);
    for (char& c : variable) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (!is_letter_or_digit(c)) c = '_';
    }
    return variable;
}

std::string why_unusable(const crds::Channel& channel) {
    const Settings settings(channel);
    if (channel.type == "telegram") return settings.telegram();
    if (channel.type == "slack") return settings.slack();
    if (channel.type == "discord") {
        return settings.webhook(
            {"https://discord.com/api/webhooks/", "https://discordapp.com/api/webhooks/"});
    }
    if (channel.type == "lark") {
        return settings.webhook(
            {"https://open.larksuite.com/open-apis/bot/", "https://open.feishu.cn/open-apis/bot/"});
    }
    return "the type must be telegram, slack, lark or discord";
}

}  // namespace atelier::templates
