#include "apiserver/resources/selectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/json_text.h"
#include "base/text.h"

namespace atelier::apiserver {

bool is_label_value(std::string_view text) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    if (text.empty()) return true;
    const bool inside = std::all_of(text.begin(), text.end(), [&](char c) {
        return fits(c) || c == '-' || c == '_' || c == '.';
    });
    return text.size() <= 63 && fits(text.front()) && fits(text.back()) && inside;
}

class LabelSelectorParser {
  public:
    explicit LabelSelectorParser(std::string_view text) : text_(text) {}

    Result<LabelSelector> parse() {
        LabelSelector out;
        spaces();
        if (eof()) return out;
        while (true) {
            out.requirements_.push_back(TRY(requirement()));
            spaces();
            if (eof()) return out;
            if (!take(",")) return bad("expected ','");
        }
    }

  private:
    using Op = LabelSelector::Op;
    using Requirement = LabelSelector::Requirement;

    bool eof() const { return at_ >= text_.size(); }
    void spaces() {
        while (!eof() && trim(text_.substr(at_, 1)).empty()) ++at_;
    }
    bool take(std::string_view token) {
        spaces();
        if (text_.substr(at_).substr(0, token.size()) != token) return false;
        at_ += token.size();
        return true;
    }
    Error bad(std::string_view why) const {
        return {Code::invalid, fmt::format("unable to parse label selector \"{}\": {} at column {}",
                                           text_, why, at_ + 1)};
    }
    std::string word() {
        spaces();
        const std::size_t begin = at_;
        while (!eof() &&
               std::string_view(" \t\r\n,()=!<>").find(text_[at_]) == std::string_view::npos) {
            ++at_;
        }
        return std::string(text_.substr(begin, at_ - begin));
    }

    Result<Requirement> requirement() {
        Requirement r;
        if (take("!")) r.op = Op::absent;
        r.key = word();
        if (auto error = check_key(r.key); !error) return error.error();
        spaces();
        if (r.op == Op::absent || eof() || text_[at_] == ',') return r;
        if (take("!=")) {
            r.op = Op::not_in;
        } else if (take("==") || take("=")) {
            r.op = Op::in;
        } else if (take(">")) {
            r.op = Op::greater;
        } else if (take("<")) {
            r.op = Op::less;
        } else {
            return set_requirement(std::move(r));
        }
        r.values.push_back(word());
        if (r.op == Op::greater || r.op == Op::less) {
            if (!number(r.values[0])) return bad("'<' and '>' need a whole number");
        }
        if (auto error = check_value(r.values[0]); !error) return error.error();
        return r;
    }

    Result<Requirement> set_requirement(Requirement r) {
        const std::string op = word();
        if (op == "in") {
            r.op = Op::in;
        } else if (op == "notin") {
            r.op = Op::not_in;
        } else {
            return bad("expected '=', '==', '!=', 'in', 'notin', '<' or '>'");
        }
        if (!take("(")) return bad("expected '('");
        do {
            r.values.push_back(word());
            if (auto error = check_value(r.values.back()); !error) return error.error();
        } while (take(","));
        if (!take(")")) return bad("expected ')'");
        return r;
    }

    // [prefix/]name: the prefix a DNS subdomain, the name at most 63 characters.
    Result<void> check_key(std::string_view key) const {
        const std::size_t slash = key.find('/');
        if (slash != std::string_view::npos) {
            if (!is_dns_subdomain(key.substr(0, slash)))
                return bad("the prefix of a key is invalid");
            key.remove_prefix(slash + 1);
        }
        if (key.empty()) return bad("expected a key");
        return check_value(key);
    }
    Result<void> check_value(std::string_view value) const {
        if (!is_label_value(value)) {
            return bad(fmt::format("\"{}\" cannot be a label's", value));
        }
        return {};
    }

    static std::optional<std::int64_t> number(std::string_view text) {
        std::int64_t out = 0;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
        if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
        return out;
    }
    friend class LabelSelector;

    std::string_view text_;
    std::size_t at_ = 0;
};

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
    return LabelSelectorParser(text).parse();
}

bool LabelSelector::holds(const Requirement& r, const std::map<std::string, std::string>& labels) {
    const auto it = labels.find(r.key);
    const bool present = it != labels.end();
    const auto listed = [&] {
        return std::find(r.values.begin(), r.values.end(), it->second) != r.values.end();
    };
    switch (r.op) {
        case Op::exists:
            return present;
        case Op::absent:
            return !present;
        case Op::in:
            return present && listed();
        case Op::not_in:
            return !present || !listed();
        case Op::greater:
        case Op::less:
            break;
    }
    if (!present) return false;
    const auto mine = LabelSelectorParser::number(it->second);
    const auto bound = LabelSelectorParser::number(r.values[0]);
    if (!mine || !bound) return false;
    return r.op == Op::greater ? *mine > *bound : *mine < *bound;
}

bool LabelSelector::matches(const std::map<std::string, std::string>& labels) const {
    return std::all_of(requirements_.begin(), requirements_.end(),
                       [&](const Requirement& r) { return holds(r, labels); });
}

namespace {

bool is_supported(const crds::Kind& kind, std::string_view field) {
    static constexpr std::string_view of_event[] = {"involvedObject.kind",
                                                    "involvedObject.namespace",
                                                    "involvedObject.name",
                                                    "involvedObject.uid",
                                                    "involvedObject.apiVersion",
                                                    "involvedObject.resourceVersion",
                                                    "involvedObject.fieldPath",
                                                    "reason",
                                                    "reportingComponent",
                                                    "source",
                                                    "type"};
    if (field == "metadata.name") return true;
    if (field == "metadata.namespace") return kind.scope == crds::Scope::namespaced;
    const std::string resource = kind.resource();
    if (resource == "secrets") return field == "type";
    if (resource == "namespaces") return field == "status.phase";
    if (resource != "events") return false;
    return std::find(std::begin(of_event), std::end(of_event), field) != std::end(of_event);
}

// The value of a field that is not in metadata.
std::string field_of(const store::Object& object, std::string_view field) {
    if (field == "source") {
        std::string source = string_below(object.body, {"source", "component"});
        return source.empty() ? string_below(object.body, {"reportingComponent"}) : source;
    }
    const std::size_t dot = field.find('.');
    if (dot == std::string_view::npos) return string_below(object.body, {field});
    return string_below(object.body, {field.substr(0, dot), field.substr(dot + 1)});
}

// Splits at commas that no backslash precedes.
std::vector<std::string> split_terms(std::string_view text) {
    std::vector<std::string> out(1);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) {
            out.back() += text[i++];
            out.back() += text[i];
        } else if (text[i] == ',') {
            out.emplace_back();
        } else {
            out.back() += text[i];
        }
    }
    return out;
}

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        out += text[i];
    }
    return out;
}

}  // namespace

Result<FieldSelector> FieldSelector::parse(std::string_view text, const crds::Kind& kind) {
    FieldSelector out;
    for (const std::string& part : split_terms(text)) {
        if (part.empty()) continue;
        const std::size_t at = part.find('=');
        if (at == std::string::npos || at == 0) {
            return Error{Code::invalid,
                         fmt::format("invalid field selector \"{}\": \"{}\" is not field=value",
                                     text, part)};
        }
        Term term;
        term.equal = part[at - 1] != '!';
        term.field = std::string(trim(std::string_view(part).substr(0, term.equal ? at : at - 1)));
        const std::size_t value = at + (part.compare(at, 2, "==") == 0 ? 2 : 1);
        term.value = unescaped(trim(std::string_view(part).substr(value)));
        if (!is_supported(kind, term.field)) {
            return Error{Code::invalid, "field label not supported: " + term.field};
        }
        out.terms_.push_back(std::move(term));
    }
    return out;
}

bool FieldSelector::matches(const store::Object& object) const {
    return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
        if (term.field == "metadata.name") return (object.key.name == term.value) == term.equal;
        if (term.field == "metadata.namespace") return (object.key.ns == term.value) == term.equal;
        return (field_of(object, term.field) == term.value) == term.equal;
    });
}

std::string FieldSelector::name() const {
    for (const Term& term : terms_) {
        if (term.field == "metadata.name" && term.equal) return term.value;
    }
    return {};
}

}  // namespace atelier::apiserver
