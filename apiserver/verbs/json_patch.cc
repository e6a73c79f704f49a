#include "apiserver/verbs/json_patch.h"

#include <fmt/format.h>

#include <charconv>
#include <vector>

namespace atelier::apiserver {
namespace {

constexpr std::size_t most_operations = 10'000;
constexpr std::size_t most_copied_bytes = 3u << 20;

using Pointer = std::vector<std::string>;

// RFC 6901.
Result<Pointer> parse_pointer(std::string_view text) {
    Pointer out;
    if (text.empty()) return out;
    if (text.front() != '/') {
        return Error{Code::invalid,
                     fmt::format("JSON pointer \"{}\" does not begin with '/'", text)};
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '/') {
            out.emplace_back();
        } else if (text[i] != '~') {
            out.back() += text[i];
        } else if (i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1')) {
            out.back() += text[++i] == '0' ? '~' : '/';
        } else {
            return Error{Code::invalid,
                         fmt::format("JSON pointer \"{}\": '~' must be followed by 0 or 1", text)};
        }
    }
    return out;
}

Error unfit(std::string message) {
    return {Code::invalid, message, {}, {{"patch", "FieldValueInvalid", std::move(message)}}};
}

class Patcher {
  public:
    explicit Patcher(json::Document& target) : target_(target) {}

    Result<void> apply(const json::Value& operation) {
        if (!operation.IsObject()) return Error{Code::invalid, "an operation is not an object"};
        const std::string op = json::string_at(operation, {"op"});
        const json::Value* path = json::find(operation, {"path"});
        if (!path || !path->IsString()) return Error{Code::invalid, "an operation has no path"};
        const Pointer to = TRY(parse_pointer(json::view(*path)));

        if (op == "add" || op == "replace" || op == "test") {
            const json::Value* value = json::find(operation, {"value"});
            if (!value) return Error{Code::invalid, fmt::format("operation {} has no value", op)};
            if (op == "test") return test(to, *value);
            if (op == "replace") TRY(take(to));
            return add(to, json::Value(*value, target_.GetAllocator()));
        }
        if (op == "remove") {
            TRY(take(to));
            return {};
        }
        if (op == "move" || op == "copy") return transfer(operation, to, op == "move");
        return Error{Code::invalid, fmt::format("unknown operation \"{}\"", op)};
    }

  private:
    Result<void> transfer(const json::Value& operation, const Pointer& to, bool move) {
        const json::Value* path = json::find(operation, {"from"});
        if (!path || !path->IsString()) return Error{Code::invalid, "an operation has no from"};
        const Pointer from = TRY(parse_pointer(json::view(*path)));
        if (move) {
            if (to.size() > from.size() && std::equal(from.begin(), from.end(), to.begin())) {
                return unfit("a value cannot be moved into itself");
            }
            json::Value value = TRY(take(from));
            return add(to, std::move(value));
        }
        const json::Value* value = walk(from, from.size());
        if (!value) return missing(from);
        copied_ += json::text(*value).size();
        if (copied_ > most_copied_bytes) {
            return Error{Code::too_large,
                         fmt::format("the patch copies more than {} bytes", most_copied_bytes)};
        }
        return add(to, json::Value(*value, target_.GetAllocator()));
    }

    Result<void> test(const Pointer& at, const json::Value& wanted) {
        const json::Value* value = walk(at, at.size());
        if (!value) return missing(at);
        if (*value != wanted) {
            return unfit(fmt::format("test of {} failed: the value is another", text(at)));
        }
        return {};
    }

    Result<void> add(const Pointer& at, json::Value value) {
        if (at.empty()) {
            static_cast<json::Value&>(target_) = std::move(value);
            return {};
        }
        json::Value* parent = walk(at, at.size() - 1);
        if (!parent) return missing(at);
        if (parent->IsObject()) {
            json::set(*parent, at.back(), std::move(value), target_.GetAllocator());
            return {};
        }
        if (!parent->IsArray()) return missing(at);
        const std::size_t size = parent->Size();
        std::size_t index = size;
        if (at.back() != "-" && (!parse_index(at.back(), index) || index > size))
            return missing(at);
        parent->PushBack(std::move(value), target_.GetAllocator());
        for (std::size_t i = size; i > index; --i)
            element(*parent, i).Swap(element(*parent, i - 1));
        return {};
    }

    // Removes the value and returns it.
    Result<json::Value> take(const Pointer& at) {
        json::Value* value = walk(at, at.size());
        if (!value) return missing(at);
        json::Value out;
        out.Swap(*value);
        if (at.empty()) return out;
        json::Value* parent = walk(at, at.size() - 1);
        if (parent->IsObject()) {
            json::remove(*parent, at.back());
        } else {
            parent->Erase(value);
        }
        return out;
    }

    json::Value* walk(const Pointer& at, std::size_t steps) {
        json::Value* value = &target_;
        for (std::size_t i = 0; i < steps && value; ++i) {
            if (value->IsObject()) {
                value = json::find(*value, {at[i]});
            } else if (std::size_t index = 0;
                       value->IsArray() && parse_index(at[i], index) && index < value->Size()) {
                value = &element(*value, index);
            } else {
                value = nullptr;
            }
        }
        return value;
    }

    static json::Value& element(json::Value& array, std::size_t index) {
        return array[static_cast<rapidjson::SizeType>(index)];
    }
    static bool parse_index(std::string_view text, std::size_t& index) {
        if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), index);
        return ec == std::errc{} && end == text.data() + text.size();
    }
    static std::string text(const Pointer& at) {
        std::string out;
        for (const std::string& step : at) out += "/" + step;
        return out.empty() ? "the root" : out;
    }
    static Error missing(const Pointer& at) {
        return unfit(fmt::format("there is no value at {}", text(at)));
    }

    json::Document& target_;
    std::size_t copied_ = 0;
};

}  // namespace

Result<void> apply_json_patch(json::Document& target, const json::Value& patch) {
    if (!patch.IsArray()) {
        return Error{Code::invalid, "a JSON patch is a list of operations"};
    }
    if (patch.Size() > most_operations) {
        return Error{Code::too_large,
                     fmt::format("the patch has {} operations; at most {} are allowed",
                                 patch.Size(), most_operations)};
    }
    Patcher patcher(target);
    std::size_t number = 0;
    for (const json::Value& operation : patch.GetArray()) {
        const Result<void> done = patcher.apply(operation);
        if (!done) return done.error().in(fmt::format("operation {}", number));
        ++number;
    }
    return {};
}

}  // namespace atelier::apiserver
