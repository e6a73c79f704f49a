#include "apiserver/verbs/json_patch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "apiserver/verbs/json_tree.h"

namespace atelier::apiserver {
namespace {

constexpr std::size_t most_operations = 10'000;
constexpr std::size_t most_copied_bytes = 3u << 20;
constexpr std::size_t most_path_steps = 500;
constexpr std::size_t most_deeper = 1000;

using Pointer = std::vector<std::string>;

Error unfit(std::string message) {
    return {Code::invalid, message, {}, {{"patch", "FieldValueInvalid", std::move(message)}}};
}

// RFC 6901.
Result<Pointer> parse_pointer(std::string_view text) {
    Pointer out;
    if (text.empty()) return out;
    if (text.front() != '/') {
        return unfit(fmt::format("JSON pointer \"{}\" does not begin with '/'", text));
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '/') {
            out.emplace_back();
        } else if (text[i] != '~') {
            out.back() += text[i];
        } else if (i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1')) {
            out.back() += text[++i] == '0' ? '~' : '/';
        } else {
            return unfit(fmt::format("JSON pointer \"{}\": '~' must be followed by 0 or 1", text));
        }
    }
    return out;
}

class Patcher {
  public:
    Patcher(JsonNode& root, json::Allocator& allocator) : root_(root), allocator_(allocator) {}

    Result<void> apply(const json::Value& operation) {
        if (!operation.IsObject()) return unfit("an operation is not an object");
        const std::string op = json::string_at(operation, {"op"});
        const json::Value* path = json::find(operation, {"path"});
        if (!path || !path->IsString()) return unfit("an operation has no path");
        const Pointer to = TRY(parse_pointer(json::view(*path)));

        if (op == "add" || op == "replace" || op == "test") {
            const json::Value* value = json::find(operation, {"value"});
            if (!value) return unfit(fmt::format("operation {} has no value", op));
            if (op == "test") return test(to, *value);
            if (op == "replace") return replace(to, *value);
            return add(to, JsonNode(json::Value(*value, allocator_)));
        }
        if (op == "remove") {
            TRY(take(to));
            return {};
        }
        if (op == "move") return move(operation, to);
        if (op == "copy") return copy(operation, to);
        return unfit(fmt::format("unknown operation \"{}\"", op));
    }

  private:
    static Result<Pointer> from_of(const json::Value& operation) {
        const json::Value* path = json::find(operation, {"from"});
        if (!path || !path->IsString()) return unfit("an operation has no from");
        return parse_pointer(json::view(*path));
    }

    Result<void> move(const json::Value& operation, const Pointer& to) {
        const Pointer from = TRY(from_of(operation));
        if (to.size() > from.size() && std::equal(from.begin(), from.end(), to.begin())) {
            return unfit("a value cannot be moved into itself");
        }
        // What is moved may be of any depth, so the depth of the outcome is not known here; it is
        // kept small enough for functions that call themselves.
        if (to.size() > from.size()) deeper_ += to.size() - from.size();
        if (deeper_ > most_deeper) {
            return Error{
                Code::too_large,
                fmt::format("the moves of the patch nest values more than {} levels deeper",
                            most_deeper)};
        }
        JsonNode node = TRY(take(from));
        return add(to, std::move(node));
    }

    Result<void> copy(const json::Value& operation, const Pointer& to) {
        const Pointer from = TRY(from_of(operation));
        const JsonNode* node = walk(from, from.size());
        if (!node) return missing(from);
        json::Value value = node->copy(allocator_);
        copied_ += json::text(value).size();
        if (copied_ > most_copied_bytes) {
            return Error{Code::too_large,
                         fmt::format("the patch copies more than {} bytes", most_copied_bytes)};
        }
        return add(to, JsonNode(std::move(value)));
    }

    Result<void> test(const Pointer& at, const json::Value& wanted) {
        const JsonNode* node = walk(at, at.size());
        if (!node) return missing(at);
        if (!node->equals(wanted)) {
            return unfit(fmt::format("test of {} failed: the value is another", text(at)));
        }
        return {};
    }

    Result<void> replace(const Pointer& at, const json::Value& value) {
        JsonNode* node = walk(at, at.size());
        if (!node) return missing(at);
        *node = JsonNode(json::Value(value, allocator_));
        return {};
    }

    Result<void> add(const Pointer& at, JsonNode node) {
        if (at.size() > most_path_steps) {
            return Error{Code::too_large, fmt::format("a path of the patch has more than {} steps",
                                                      most_path_steps)};
        }
        if (at.empty()) {
            root_ = std::move(node);
            return {};
        }
        JsonNode* parent = walk(at, at.size() - 1);
        if (!parent || !parent->add(at.back(), std::move(node))) return missing(at);
        return {};
    }

    // Removes the value and returns it.
    Result<JsonNode> take(const Pointer& at) {
        if (!walk(at, at.size())) return missing(at);
        if (at.empty()) return std::exchange(root_, JsonNode(json::Value()));
        return walk(at, at.size() - 1)->take(at.back());
    }

    JsonNode* walk(const Pointer& at, std::size_t steps) {
        JsonNode* node = &root_;
        for (std::size_t i = 0; i < steps && node; ++i) node = node->child(at[i]);
        return node;
    }

    static std::string text(const Pointer& at) {
        std::string out;
        for (const std::string& step : at) out += "/" + step;
        return out.empty() ? "the root" : out;
    }
    static Error missing(const Pointer& at) {
        return unfit(fmt::format("there is no value at {}", text(at)));
    }

    JsonNode& root_;
    json::Allocator& allocator_;
    std::size_t copied_ = 0;
    std::size_t deeper_ = 0;
};

}  // namespace

Result<void> apply_json_patch(json::Document& target, const json::Value& patch) {
    if (patch.IsNull()) return unfit("the patch is null");
    if (!patch.IsArray()) {
        return Error{Code::invalid, "a JSON patch is a list of operations"};
    }
    if (patch.Size() > most_operations) {
        return Error{Code::too_large,
                     fmt::format("the patch has {} operations; at most {} are allowed",
                                 patch.Size(), most_operations)};
    }
    json::Allocator& allocator = target.GetAllocator();
    JsonNode root(std::move(static_cast<json::Value&>(target)));
    Patcher patcher(root, allocator);
    std::size_t number = 0;
    for (const json::Value& operation : patch.GetArray()) {
        const Result<void> done = patcher.apply(operation);
        if (!done) return done.error().in(fmt::format("operation {}", number));
        ++number;
    }
    static_cast<json::Value&>(target) = root.close(allocator);
    return {};
}

}  // namespace atelier::apiserver
