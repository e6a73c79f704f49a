#include "crds/json_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace atelier::crds {

class JsonPathParser {
  public:
    explicit JsonPathParser(std::string_view text) : text_(text) {}

    Result<JsonPath> parse() {
        JsonPath path;
        if (!eof() && peek() != '.' && peek() != '[') path.steps_.push_back(TRY(member()));
        while (!eof()) {
            if (take("..")) return bad("'..' is not supported");
            if (take(".")) {
                if (eof()) break;
                if (peek() == '[') continue;
                path.steps_.push_back(TRY(member()));
            } else if (take("[")) {
                path.steps_.push_back(TRY(bracket()));
            } else {
                return bad("expected '.' or '['");
            }
        }
        return path;
    }

  private:
    using Step = JsonPath::Step;

    bool eof() const { return at_ >= text_.size(); }
    char peek() const { return text_[at_]; }
    bool take(std::string_view token) {
        if (text_.substr(at_).substr(0, token.size()) != token) return false;
        at_ += token.size();
        return true;
    }
    void skip_spaces() {
        while (!eof() && peek() == ' ') ++at_;
    }
    Error bad(std::string_view why) const {
        return {Code::invalid,
                fmt::format("JSONPath \"{}\": {} at column {}", text_, why, at_ + 1)};
    }

    // A name after a dot: up to the next '.' or '['; a backslash keeps the next character.
    Result<Step> member() {
        Step step;
        while (!eof() && peek() != '.' && peek() != '[') {
            if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
            step.name += text_[at_++];
        }
        if (step.name.empty()) return bad("expected a name");
        if (step.name == "*") step.kind = Step::Kind::every;
        return step;
    }

    Result<Step> bracket() {
        skip_spaces();
        if (eof()) return bad("'[' is not closed");
        Step step;
        if (take("*")) {
            step.kind = Step::Kind::every;
        } else if (peek() == '\'' || peek() == '"') {
            step.name = TRY(quoted());
        } else if (take("?(")) {
            step = TRY(filter());
        } else {
            step.kind = Step::Kind::index;
            const char* begin = text_.data() + at_;
            const auto [end, ec] = std::from_chars(begin, text_.data() + text_.size(), step.index);
            if (ec != std::errc{}) return bad("expected an index, a name in quotes, '*' or '?('");
            at_ += static_cast<std::size_t>(end - begin);
        }
        skip_spaces();
        if (!take("]")) return bad("expected ']'");
        return step;
    }

    Result<std::string> quoted() {
        const char quote = text_[at_++];
        std::string out;
        while (!eof() && peek() != quote) {
            if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
            out += text_[at_++];
        }
        if (eof()) return bad("a quote is not closed");
        ++at_;
        return out;
    }

    // @.type=="Ready" or @.name
    Result<Step> filter() {
        Step step;
        step.kind = Step::Kind::filter;
        skip_spaces();
        if (!take("@")) return bad("a filter begins with '@'");
        while (take(".")) {
            std::string name;
            while (!eof() && std::string_view(".=! )").find(peek()) == std::string_view::npos) {
                name += text_[at_++];
            }
            if (name.empty()) return bad("expected a name");
            step.inner.push_back(std::move(name));
        }
        skip_spaces();
        if (take("==")) {
            step.op = "==";
        } else if (take("!=")) {
            step.op = "!=";
        }
        if (!step.op.empty()) {
            skip_spaces();
            if (auto error = operand(step); !error) return error.error();
        }
        skip_spaces();
        if (!take(")")) return bad("expected ')'");
        return step;
    }

    Result<void> operand(Step& step) {
        if (!eof() && (peek() == '\'' || peek() == '"')) {
            const std::string text = TRY(quoted());
            step.operand.SetString(text.data(), static_cast<rapidjson::SizeType>(text.size()),
                                   step.operand.GetAllocator());
            return {};
        }
        const std::size_t end = std::min(text_.find(')', at_), text_.size());
        auto parsed = json::parse(trim(text_.substr(at_, end - at_)));
        if (!parsed) return bad("expected a value");
        step.operand = std::move(*parsed);
        at_ = end;
        return {};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

Result<JsonPath> JsonPath::compile(std::string_view text) {
    text = trim(text);
    if (text.size() >= 2 && text.front() == '{' && text.back() == '}') {
        text = text.substr(1, text.size() - 2);
    }
    if (!text.empty() && text.front() == '$') text.remove_prefix(1);
    return JsonPathParser(text).parse();
}

bool JsonPath::passes(const json::Value& element, const Step& step) {
    const json::Value* at = &element;
    for (const std::string& name : step.inner) {
        at = json::find(*at, {name});
        if (!at) break;
    }
    if (step.op.empty()) return at != nullptr;
    const bool equal = at && *at == static_cast<const json::Value&>(step.operand);
    return equal == (step.op == "==");
}

std::vector<const json::Value*> JsonPath::find(const json::Value& root) const {
    std::vector<const json::Value*> now{&root};
    for (const Step& step : steps_) {
        std::vector<const json::Value*> next;
        for (const json::Value* value : now) {
            if (step.kind == Step::Kind::member) {
                if (const json::Value* found = json::find(*value, {step.name})) {
                    next.push_back(found);
                }
                continue;
            }
            if (step.kind == Step::Kind::every && value->IsObject()) {
                for (const auto& m : value->GetObject()) next.push_back(&m.value);
                continue;
            }
            if (!value->IsArray()) continue;
            if (step.kind == Step::Kind::index) {
                const auto size = static_cast<std::int64_t>(value->Size());
                const std::int64_t index = step.index < 0 ? step.index + size : step.index;
                if (index < 0 || index >= size) continue;
                next.push_back(&(*value)[static_cast<rapidjson::SizeType>(index)]);
                continue;
            }
            for (const json::Value& element : value->GetArray()) {
                if (step.kind == Step::Kind::every || passes(element, step)) {
                    next.push_back(&element);
                }
            }
        }
        now = std::move(next);
    }
    return now;
}

}  // namespace atelier::crds
