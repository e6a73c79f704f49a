#include "crds/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <istream>
#include <optional>
#include <streambuf>
#include <unordered_map>

#include "base/text.h"
#include "crds/scalar.h"
#include "crds/yaml_refusal.h"

namespace atelier::crds {
namespace {

constexpr std::size_t longest_key = 1024;
// All pointers of one document together: an honest manifest needs a few hundred kilobytes.
constexpr std::size_t position_budget = std::size_t{16} << 20;
// Aliases repeat text as well as nodes.
constexpr std::size_t expansion = 4;

constexpr std::string_view core_tag = "tag:yaml.org,2002:";

Position position_of_mark(const YAML::Mark& mark) {
    if (mark.is_null()) return {};
    return {mark.line + 1, mark.column + 1};
}

struct Weight {
    std::size_t nodes = 0;
    std::size_t bytes = 0;
};

Weight weigh(const json::Value& value) {
    Weight weight{1, 0};
    const auto add = [&](const Weight& inner) {
        weight.nodes += inner.nodes;
        weight.bytes += inner.bytes;
    };
    if (value.IsString()) {
        weight.bytes = value.GetStringLength();
    } else if (value.IsArray()) {
        for (const json::Value& element : value.GetArray()) add(weigh(element));
    } else if (value.IsObject()) {
        for (const auto& m : value.GetObject()) {
            weight.bytes += m.name.GetStringLength();
            add(weigh(m.value));
        }
    }
    return weight;
}

// Builds one document from events.
class Builder final : public YAML::EventHandler {
  public:
    Builder(std::string_view text, const YamlOptions& options) : text_(text), options_(options) {}

    // The document that was read, or nothing when it was empty.
    std::optional<YamlDocument> take() {
        std::optional<YamlDocument> out;
        if (document_ && !document_->value.IsNull()) out = std::move(document_);
        document_.reset();
        return out;
    }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (!first_ && !is_separated(mark)) {
            refuse(mark, "something after the end of the document; put --- between documents");
        }
        first_ = false;
        document_.emplace();
        frames_.clear();
        anchors_.clear();
        pointer_.clear();
        total_ = {};
        position_bytes_ = 0;
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (expects_key()) refuse(mark, "a key is missing, or is null; write it in quotes");
        begin(mark);
        end(json::Value(), anchor, "");
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto it = anchors_.find(anchor);
        if (it == anchors_.end()) refuse(mark, "an alias stands inside its own anchor");
        if (expects_key()) {
            if (!it->second.value.IsString()) refuse(mark, "a key must be text");
            return key(mark, std::string(json::view(it->second.value)));
        }
        charge(mark, it->second.weight);
        begin(mark, /*counts=*/false);
        end(json::Value(it->second.value, allocator()), 0, "");
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        if (expects_key()) return scalar_key(mark, tag, anchor, text);
        begin(mark);
        charge(mark, {0, text.size()});
        if (is_local(tag)) return end(json::make(text, allocator()), anchor, tag);
        end(typed(mark, tag, text), anchor, "");
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, "seq", json::Value(rapidjson::kArrayType));
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, "map", json::Value(rapidjson::kObjectType));
    }
    void OnMapEnd() override { close(); }

  private:
    struct Frame {
        json::Value container;
        YAML::anchor_t anchor = 0;
        std::string tag;           // a local tag that wraps the container
        std::size_t pointer_size;  // of the container
        std::optional<std::string> key;
        bool merges = false;  // the key is the merge key
        YAML::Mark key_mark;
        std::vector<json::Value> merged;
        std::unordered_map<std::string, int> lines;  // of the keys so far
    };
    struct Anchored {
        json::Value value;
        Weight weight;
    };

    // Thrown through yaml-cpp, which knows no other way to stop; caught in read_documents.
    [[noreturn]] static void refuse(const YAML::Mark& mark, std::string message,
                                    Code code = Code::invalid) {
        throw YamlRefusal{code, position_of_mark(mark), std::move(message)};
    }

    // Whether a second document begins with "---", or the one before it ended with "...". yaml-cpp
    // would take any text after a finished value as one more document.
    bool is_separated(const YAML::Mark& mark) {
        bool ended = false;
        while (line_ <= mark.line && line_begin_ < text_.size()) {
            const std::size_t end = std::min(text_.find('\n', line_begin_), text_.size());
            const std::string_view line = text_.substr(line_begin_, end - line_begin_);
            if (line_ == mark.line) return ended || line.starts_with("---");
            ended = line.starts_with("...") ||
                    (ended && (trim(line).empty() || trim(line).starts_with('#')));
            line_begin_ = end + 1;
            ++line_;
        }
        return ended;
    }

    json::Allocator& allocator() { return document_->value.GetAllocator(); }

    bool expects_key() const {
        return !frames_.empty() && frames_.back().container.IsObject() && !frames_.back().key;
    }

    bool is_local(const std::string& tag) const {
        return options_.keep_tags && tag.size() > 1 && tag.front() == '!';
    }

    void charge(const YAML::Mark& mark, const Weight& weight) {
        total_.nodes += weight.nodes;
        total_.bytes += weight.bytes;
        if (total_.nodes > options_.limits.nodes) {
            refuse(mark,
                   fmt::format("more than {} values, aliases expanded", options_.limits.nodes),
                   Code::too_large);
        }
        if (total_.bytes > options_.limits.bytes * expansion) {
            refuse(mark, "too much text, aliases expanded", Code::too_large);
        }
    }

    // Before a value: counts it, extends the pointer and notes the position.
    void begin(const YAML::Mark& mark, bool counts = true) {
        if (counts) charge(mark, {1, 0});
        if (!frames_.empty()) {
            const Frame& frame = frames_.back();
            pointer_.resize(frame.pointer_size);
            pointer_ += '/';
            pointer_ +=
                frame.key ? escape_pointer(*frame.key) : std::to_string(frame.container.Size());
        }
        position_bytes_ += pointer_.size() + 1;
        if (position_bytes_ <= position_budget) {
            document_->positions.insert_or_assign(pointer_, position_of_mark(mark));
        }
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
              std::string_view core, json::Value container) {
        if (expects_key()) refuse(mark, "a key must be text, not a list or a mapping");
        const bool local = is_local(tag);
        if (!local && tag != "?" && tag != "!" && !tag.empty() &&
            tag != std::string(core_tag) + std::string(core)) {
            refuse_tag(mark, tag);
        }
        if (frames_.size() >= options_.limits.depth) {
            refuse(mark, fmt::format("nested deeper than {} levels", options_.limits.depth),
                   Code::too_large);
        }
        begin(mark);
        if (local) {
            pointer_ += '/';
            pointer_ += escape_pointer(tag);
        }
        Frame frame;
        frame.container = std::move(container);
        frame.anchor = anchor;
        frame.tag = local ? tag : std::string();
        frame.pointer_size = pointer_.size();
        frames_.push_back(std::move(frame));
    }

    void close() {
        Frame frame = std::move(frames_.back());
        frames_.pop_back();
        for (json::Value& source : frame.merged) {
            for (auto& m : source.GetObject()) {
                if (frame.lines.emplace(json::view(m.name), 0).second) {
                    frame.container.AddMember(m.name, m.value, allocator());
                }
            }
        }
        end(std::move(frame.container), frame.anchor, frame.tag);
    }

    // After a value: wraps it in its local tag, keeps it for its aliases, and puts it in its place.
    void end(json::Value value, YAML::anchor_t anchor, const std::string& tag) {
        if (!tag.empty()) {
            json::Value wrapper(rapidjson::kObjectType);
            wrapper.AddMember(json::make(tag, allocator()), std::move(value), allocator());
            value = std::move(wrapper);
        }
        if (anchor != 0) keep(anchor, value);
        if (frames_.empty()) {
            static_cast<json::Value&>(document_->value) = std::move(value);
            return;
        }
        Frame& frame = frames_.back();
        if (frame.container.IsArray()) {
            frame.container.PushBack(std::move(value), allocator());
        } else if (frame.merges) {
            merge(frame, std::move(value));
        } else {
            frame.container.AddMember(json::make(*frame.key, allocator()), std::move(value),
                                      allocator());
        }
        frame.key.reset();
        frame.merges = false;
    }

    void keep(YAML::anchor_t anchor, const json::Value& value) {
        Anchored anchored;
        anchored.weight = weigh(value);
        charge({}, anchored.weight);
        anchored.value.CopyFrom(value, allocator());
        anchors_.insert_or_assign(anchor, std::move(anchored));
    }

    void merge(Frame& frame, json::Value value) {
        if (value.IsObject()) {
            frame.merged.push_back(std::move(value));
            return;
        }
        bool mappings = value.IsArray();
        if (mappings) {
            for (json::Value& element : value.GetArray()) {
                mappings = mappings && element.IsObject();
                if (mappings) frame.merged.push_back(std::move(element));
            }
        }
        if (!mappings) {
            refuse(frame.key_mark, "the merge key << wants a mapping or a list of mappings");
        }
    }

    void scalar_key(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    const std::string& text) {
        if (tag != "?" && tag != "!" && tag != "tag:yaml.org,2002:str") refuse_tag(mark, tag);
        if (tag == "?" && core_type(text) == ScalarType::null) {
            refuse(mark, "a key is missing, or is null; write it in quotes");
        }
        if (anchor != 0) keep(anchor, json::make(text, allocator()));
        if (tag == "?" && text == "<<") {
            Frame& frame = frames_.back();
            frame.key = text;
            frame.key_mark = mark;
            frame.merges = true;
            return;
        }
        key(mark, text);
    }

    void key(const YAML::Mark& mark, const std::string& text) {
        if (text.size() > longest_key) {
            refuse(mark,
                   fmt::format("a key of {} bytes; at most {} are read", text.size(), longest_key));
        }
        charge(mark, {0, text.size()});
        Frame& frame = frames_.back();
        const auto [it, fresh] = frame.lines.emplace(text, mark.line + 1);
        if (!fresh) {
            refuse(mark, fmt::format("duplicate key \"{}\": it stands in line {} already",
                                     text.substr(0, 100), it->second));
        }
        frame.key = text;
        frame.key_mark = mark;
    }

    [[noreturn]] void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
        refuse(mark, fmt::format("the tag \"{}\" is not known here", tag.substr(0, 100)));
    }

    json::Value typed(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
        if (tag == "!") return json::make(text, allocator());
        if (tag == "?" || tag.empty()) return plain(mark, text, core_type(text));
        if (!tag.starts_with(core_tag)) refuse_tag(mark, tag);
        const std::string name = tag.substr(core_tag.size());
        if (name == "str") return json::make(text, allocator());
        const ScalarType type = core_type(text);
        const bool fits = (name == "int" && type == ScalarType::integer) ||
                          (name == "float" && type == ScalarType::floating) ||
                          (name == "bool" && type == ScalarType::boolean) ||
                          (name == "null" && type == ScalarType::null);
        if (fits) return plain(mark, text, type);
        if (name == "float" && type == ScalarType::integer) {
            return json::Value(plain(mark, text, type).GetDouble());
        }
        if (name == "int" || name == "float" || name == "bool" || name == "null") {
            refuse(mark,
                   fmt::format("\"{}\" is not a value of the tag !!{}", text.substr(0, 100), name));
        }
        refuse_tag(mark, tag);
    }

    json::Value plain(const YAML::Mark& mark, const std::string& text, ScalarType type) {
        switch (type) {
            case ScalarType::null:
                return json::Value();
            case ScalarType::boolean:
                return json::Value(text.front() == 't' || text.front() == 'T');
            case ScalarType::integer:
            case ScalarType::floating:
                return number(mark, text, type);
            case ScalarType::not_finite:
                refuse(
                    mark,
                    fmt::format("{} has no form in JSON; put it in quotes to keep the text", text));
            case ScalarType::text:
                break;
        }
        return json::make(text, allocator());
    }

    static json::Value number(const YAML::Mark& mark, const std::string& text, ScalarType type) {
        Result<json::Value> value = number_of(text, type);
        if (!value) refuse(mark, value.error().message);
        return *std::move(value);
    }

    std::string_view text_;
    const YamlOptions& options_;
    bool first_ = true;
    int line_ = 0;                // of the text, from 0: how far is_separated has looked
    std::size_t line_begin_ = 0;  // where that line begins
    std::optional<YamlDocument> document_;
    std::vector<Frame> frames_;
    std::unordered_map<YAML::anchor_t, Anchored> anchors_;  // in the document's allocator
    std::string pointer_;
    Weight total_;
    std::size_t position_bytes_ = 0;
};

// Reads a text in place.
class ViewBuffer final : public std::streambuf {
  public:
    explicit ViewBuffer(std::string_view text) {
        char* begin = const_cast<char*>(text.data());  // never written: there is no put area
        setg(begin, begin, begin + text.size());
    }
};

Error error_at(std::string_view file, const Position& at, Code code, std::string_view message,
               std::string detail = {}) {
    if (at.line == 0) return {code, fmt::format("{}: {}", file, message), std::move(detail)};
    return {code, fmt::format("{}:{}:{}: {}", file, at.line, at.column, message),
            std::move(detail)};
}

Result<std::vector<YamlDocument>> read_documents(std::string_view text, std::string_view file,
                                                 const YamlOptions& options) {
    std::vector<YamlDocument> documents;
    try {
        ViewBuffer buffer(text);
        std::istream stream(&buffer);
        YAML::Parser parser(stream);
        Builder builder(text, options);
        std::size_t count = 0;
        while (parser.HandleNextDocument(builder)) {
            if (++count > options.limits.documents) {
                return error_at(file, {}, Code::too_large,
                                fmt::format("more than {} documents", options.limits.documents));
            }
            if (auto document = builder.take()) documents.push_back(*std::move(document));
        }
    } catch (const YamlRefusal& refusal) {
        return error_at(file, refusal.at, refusal.code, refusal.message);
    } catch (const YAML::Exception& e) {
        return error_at(file, position_of_mark(e.mark), Code::invalid,
                        explain_yaml(text, e.mark.is_null() ? -1 : e.mark.line, e.msg), e.what());
    } catch (const std::exception& e) {
        return error_at(file, {}, Code::invalid, "not valid YAML", e.what());
    }
    return documents;
}

}  // namespace

Position YamlDocument::position_of(std::string_view pointer) const {
    while (true) {
        const auto it = positions.find(pointer);
        if (it != positions.end()) return it->second;
        const std::size_t slash = pointer.rfind('/');
        if (slash == std::string_view::npos) return {};
        pointer = pointer.substr(0, slash);
    }
}

std::string escape_pointer(std::string_view member) {
    std::string out;
    for (const char c : member) {
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else {
            out += c;
        }
    }
    return out;
}

Result<std::vector<YamlDocument>> parse_yaml_tagged(std::string_view text, std::string_view file,
                                                    const YamlOptions& options) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    if (const auto refusal = check_yaml_bytes(text, options.limits)) {
        return error_at(file, refusal->at, refusal->code, refusal->message);
    }
    Result<std::vector<YamlDocument>> documents = read_documents(text, file, options);
    const std::string_view trimmed = trim(text);
    if (documents || documents.error().code != Code::invalid || !trimmed.starts_with('{')) {
        return documents;
    }
    // JSON writes characters beyond the basic plane as two escapes, which no YAML reader takes.
    auto json = json::parse(text, {options.limits.depth, options.limits.nodes});
    if (!json) return documents;
    std::vector<YamlDocument> only(1);
    only.front().value = *std::move(json);
    only.front().positions.emplace("", Position{1, 1});
    return only;
}

Result<std::vector<YamlDocument>> parse_yaml(std::string_view text, std::string_view file,
                                             const YamlLimits& limits) {
    return parse_yaml_tagged(text, file, {.limits = limits, .keep_tags = false});
}

}  // namespace atelier::crds
