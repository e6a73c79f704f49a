#include "crds/json_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace atelier::crds {
namespace {

constexpr std::size_t longest_path = 1024;

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '/' || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

class JsonPath::Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<std::vector<Step>> whole() {
        std::vector<Step> steps = TRY(path(/*inside_filter=*/false));
        if (at_ != text_.size()) return fail("something that belongs to no step");
        return steps;
    }

  private:
    Error fail(std::string_view what) const {
        return {Code::invalid, fmt::format("JSONPath \"{}\": {} at character {}",
                                           text_.substr(0, 100), what, at_ + 1)};
    }
    bool take(std::string_view token) {
        if (!text_.substr(at_).starts_with(token)) return false;
        at_ += token.size();
        return true;
    }
    void skip_space() {
        while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    }

    Result<std::vector<Step>> path(bool inside_filter) {
        std::vector<Step> steps;
        while (at_ < text_.size()) {
            if (take("[")) {
                steps.push_back(TRY(bracket(inside_filter)));
            } else if (take("..")) {
                return fail("a recursive descent, which is not supported,");
            } else if (take(".*")) {
                steps.push_back({.kind = Step::Kind::all});
            } else if (take(".")) {
                if (at_ == text_.size() && steps.empty()) break;  // "." alone is the value itself
                steps.push_back(TRY(member()));
            } else {
                break;
            }
        }
        return steps;
    }

    // A backslash lets any character stand in a name: .metadata.labels.app\.kubernetes\.io/name
    Result<Step> member() {
        Step step;
        while (at_ < text_.size()) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
                step.name += text_[at_ + 1];
                at_ += 2;
            } else if (is_name_char(text_[at_])) {
                step.name += text_[at_++];
            } else {
                break;
            }
        }
        if (step.name.empty()) return fail("no name after the dot");
        return step;
    }

    Result<Step> bracket(bool inside_filter) {
        Step step;
        if (take("*")) {
            step.kind = Step::Kind::all;
        } else if (take("?(")) {
            if (inside_filter) return fail("a filter inside a filter");
            step = TRY(filter());
        } else if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) {
            step.name = TRY(quoted());
        } else {
            step.kind = Step::Kind::index;
            const char* begin = text_.data() + at_;
            const auto [end, ec] = std::from_chars(begin, text_.data() + text_.size(), step.index);
            if (ec != std::errc{}) return fail("neither a number, a quoted name, * nor ?(…)");
            at_ += static_cast<std::size_t>(end - begin);
        }
        if (!take("]")) return fail("no closing bracket");
        return step;
    }

    Result<Step> filter() {
        Step step{.kind = Step::Kind::filter};
        skip_space();
        if (!take("@")) return fail("a filter that does not begin with @");
        step.operand = TRY(path(/*inside_filter=*/true));
        skip_space();
        if (take("==")) {
            step.test = Step::Test::equal;
        } else if (take("!=")) {
            step.test = Step::Test::unequal;
        }
        if (step.test != Step::Test::exists) {
            skip_space();
            TRY(literal(step));
            skip_space();
        }
        if (!take(")")) return fail("no closing parenthesis");
        return step;
    }

    Result<void> literal(Step& step) {
        if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) {
            step.literal = TRY(quoted());
        } else if (take("true")) {
            step.literal = true;
        } else if (take("false")) {
            step.literal = false;
        } else if (!take("null")) {
            double number = 0;
            const char* begin = text_.data() + at_;
            const auto [end, ec] = std::from_chars(begin, text_.data() + text_.size(), number);
            if (ec != std::errc{}) return fail("no string, number, true, false or null");
            at_ += static_cast<std::size_t>(end - begin);
            step.literal = number;
        }
        return {};
    }

    Result<std::string> quoted() {
        const char quote = text_[at_++];
        std::string out;
        while (at_ < text_.size() && text_[at_] != quote) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
            out += text_[at_++];
        }
        if (at_ == text_.size()) return fail("no closing quote");
        ++at_;
        return out;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

Result<JsonPath> JsonPath::compile(std::string_view text) {
    std::string_view inner = trim(text);
    if (inner.starts_with('{') && inner.ends_with('}')) {
        inner = trim(inner.substr(1, inner.size() - 2));
    }
    if (inner.starts_with('$')) inner.remove_prefix(1);
    if (inner.size() > longest_path) {
        return Error{Code::invalid, fmt::format("a JSONPath of {} characters; at most {} are read",
                                                inner.size(), longest_path)};
    }
    std::string dotted;
    if (!inner.empty() && inner.front() != '.' && inner.front() != '[') dotted = ".";
    dotted += inner;
    JsonPath path;
    path.steps_ = TRY(Parser(dotted).whole());
    return path;
}

bool JsonPath::matches(const Step& filter, const json::Value& element) {
    std::vector<const json::Value*> found;
    walk(filter.operand, 0, element, found);
    if (filter.test == Step::Test::exists) return !found.empty();
    if (found.empty()) return false;
    const json::Value& value = *found.front();
    bool same = false;
    if (const auto* text = std::get_if<std::string>(&filter.literal)) {
        same = value.IsString() && json::view(value) == *text;
    } else if (const auto* number = std::get_if<double>(&filter.literal)) {
        same = value.IsNumber() && value.GetDouble() == *number;
    } else if (const auto* flag = std::get_if<bool>(&filter.literal)) {
        same = value.IsBool() && value.GetBool() == *flag;
    } else {
        same = value.IsNull();
    }
    return same == (filter.test == Step::Test::equal);
}

void JsonPath::walk(const std::vector<Step>& steps, std::size_t at, const json::Value& value,
                    std::vector<const json::Value*>& found) {
    if (at == steps.size()) {
        found.push_back(&value);
        return;
    }
    const Step& step = steps[at];
    switch (step.kind) {
        case Step::Kind::member:
            if (const json::Value* inner = json::find(value, {step.name})) {
                walk(steps, at + 1, *inner, found);
            }
            return;
        case Step::Kind::index: {
            if (!value.IsArray()) return;
            const std::int64_t size = value.Size();
            const std::int64_t i = step.index < 0 ? step.index + size : step.index;
            if (i < 0 || i >= size) return;
            return walk(steps, at + 1, value[static_cast<rapidjson::SizeType>(i)], found);
        }
        case Step::Kind::all:
        case Step::Kind::filter: {
            const auto visit = [&](const json::Value& inner) {
                if (step.kind == Step::Kind::filter && !matches(step, inner)) return;
                walk(steps, at + 1, inner, found);
            };
            if (value.IsArray()) {
                for (const json::Value& element : value.GetArray()) visit(element);
            } else if (value.IsObject() && step.kind == Step::Kind::all) {
                for (const auto& m : value.GetObject()) visit(m.value);
            }
            return;
        }
    }
}

std::vector<const json::Value*> JsonPath::find(const json::Value& root) const {
    std::vector<const json::Value*> found;
    walk(steps_, 0, root, found);
    return found;
}

const json::Value* JsonPath::first(const json::Value& root) const {
    const std::vector<const json::Value*> found = find(root);
    return found.empty() ? nullptr : found.front();
}

}  // namespace atelier::crds
