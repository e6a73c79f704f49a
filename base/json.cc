#include "base/json.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <vector>

#include "base/json_members.h"

namespace atelier::json {
namespace {

constexpr unsigned parse_flags = rapidjson::kParseIterativeFlag |
                                 rapidjson::kParseValidateEncodingFlag |
                                 rapidjson::kParseFullPrecisionFlag;

// So many duplicates are named by their path. Messages show fewer.
constexpr std::size_t written_out = 100;

Result<void> check_key(std::size_t bytes, const Limits& limits) {
    if (bytes <= limits.key) return {};
    return Error{Code::invalid,
                 fmt::format("a key of {} bytes, at most {} are read", bytes, limits.key)};
}

// Counts nodes and depth while the reader runs, so that a hostile text stops early.
class Guard {
  public:
    Guard(Document& document, const Limits& limits) : document_(document), limits_(limits) {}

    bool Null() { return node() && document_.Null(); }
    bool Bool(bool b) { return node() && document_.Bool(b); }
    bool Int(int i) { return node() && document_.Int(i); }
    bool Uint(unsigned i) { return node() && document_.Uint(i); }
    bool Int64(std::int64_t i) { return node() && document_.Int64(i); }
    bool Uint64(std::uint64_t i) { return node() && document_.Uint64(i); }
    bool Double(double d) { return node() && document_.Double(d); }
    bool RawNumber(const char* s, rapidjson::SizeType n, bool c) {
        return node() && document_.RawNumber(s, n, c);
    }
    bool String(const char* s, rapidjson::SizeType n, bool c) {
        return node() && no_nul(s, n) && document_.String(s, n, c);
    }
    bool Key(const char* s, rapidjson::SizeType n, bool c) {
        return no_nul(s, n) && short_enough(n) && document_.Key(s, n, c);
    }
    bool StartObject() { return open() && document_.StartObject(); }
    bool EndObject(rapidjson::SizeType n) { return close() && document_.EndObject(n); }
    bool StartArray() { return open() && document_.StartArray(); }
    bool EndArray(rapidjson::SizeType n) { return close() && document_.EndArray(n); }

    const std::string& complaint() const { return complaint_; }

  private:
    bool node() {
        if (++nodes_ <= limits_.nodes) return true;
        complaint_ = fmt::format("more than {} values", limits_.nodes);
        return false;
    }
    bool open() {
        if (++depth_ > limits_.depth) {
            complaint_ = fmt::format("nested deeper than {} levels", limits_.depth);
            return false;
        }
        return node();
    }
    bool close() {
        --depth_;
        return true;
    }
    bool no_nul(const char* s, rapidjson::SizeType n) {
        if (std::string_view(s, n).find('\0') == std::string_view::npos) return true;
        complaint_ = "a NUL character in a string";
        return false;
    }

    bool short_enough(rapidjson::SizeType n) {
        const Result<void> checked = check_key(n, limits_);
        if (!checked) complaint_ = checked.error().message;
        return bool(checked);
    }

    Document& document_;
    const Limits& limits_;
    std::size_t nodes_ = 0;
    std::size_t depth_ = 0;
    std::string complaint_;
};

// Removes earlier ones of equal keys, and names them. Nesting uses no stack of the thread, and a
// path is written only for a duplicate.
class Deduplicator {
  public:
    explicit Deduplicator(std::vector<std::string>& duplicates) : duplicates_(duplicates) {}

    void run(Value& root) {
        enter(root);
        while (!frames_.empty()) {
            Frame& frame = frames_.back();
            if (Value* inner = next_container(frame)) {
                enter(*inner);
            } else {
                frames_.pop_back();
            }
        }
    }

  private:
    struct Frame {
        Value* container;
        std::size_t next = 0;  // one past the member or element that was entered last
    };

    static std::size_t size_of(const Value& container) {
        return container.IsArray() ? container.Size() : container.MemberCount();
    }
    static Value& at(Value& container, std::size_t index) {
        if (container.IsArray()) return container[static_cast<rapidjson::SizeType>(index)];
        return (container.MemberBegin() + static_cast<std::ptrdiff_t>(index))->value;
    }

    static Value* next_container(Frame& frame) {
        while (frame.next < size_of(*frame.container)) {
            Value& inner = at(*frame.container, frame.next++);
            if (inner.IsObject() || inner.IsArray()) return &inner;
        }
        return nullptr;
    }

    void enter(Value& value) {
        if (!value.IsObject() && !value.IsArray()) return;
        frames_.push_back({&value});
        if (!value.IsObject() || !has_duplicates(value)) return;
        std::vector<bool> keeps(value.MemberCount());
        {
            const MemberIndex index(value);
            std::size_t at = 0;
            for (const auto& m : value.GetObject()) {
                keeps[at] = index.find(view(m.name)) == at;
                if (!keeps[at]) name_duplicate(view(m.name));
                ++at;
            }
        }
        std::size_t at = 0;
        keep_members(value, [&](const Value::Member&) { return keeps[at++]; });
    }

    static bool has_duplicates(const Value& object) {
        const MemberIndex index(object);
        std::size_t at = 0;
        for (const auto& m : object.GetObject()) {
            if (index.find(view(m.name)) != at++) return true;
        }
        return false;
    }

    void name_duplicate(std::string_view name) {
        if (duplicates_.size() >= written_out) {
            duplicates_.emplace_back("…");
            return;
        }
        std::string path;
        for (std::size_t i = 0; i + 1 < frames_.size(); ++i) {
            const Frame& frame = frames_[i];
            if (frame.container->IsArray()) {
                path += fmt::format("[{}]", frame.next - 1);
            } else {
                append(path, view((frame.container->MemberBegin() +
                                   static_cast<std::ptrdiff_t>(frame.next - 1))
                                      ->name));
            }
        }
        append(path, name);
        duplicates_.push_back(std::move(path));
    }

    static void append(std::string& path, std::string_view name) {
        if (!path.empty()) path += '.';
        path += name;
    }

    std::vector<std::string>& duplicates_;
    std::vector<Frame> frames_;
};

void write_canonical(const Value& value, rapidjson::Writer<rapidjson::StringBuffer>& writer) {
    if (value.IsObject()) {
        std::vector<const Value::Member*> members;
        for (const auto& m : value.GetObject()) members.push_back(&m);
        std::sort(members.begin(), members.end(),
                  [](const auto* a, const auto* b) { return view(a->name) < view(b->name); });
        writer.StartObject();
        for (const auto* m : members) {
            writer.Key(m->name.GetString(), m->name.GetStringLength());
            write_canonical(m->value, writer);
        }
        writer.EndObject();
    } else if (value.IsArray()) {
        writer.StartArray();
        for (const Value& element : value.GetArray()) write_canonical(element, writer);
        writer.EndArray();
    } else {
        value.Accept(writer);
    }
}

}  // namespace

Result<Document> parse_lenient(std::string_view text, std::vector<std::string>& duplicates,
                               const Limits& limits) {
    Document document;
    rapidjson::Reader reader;
    rapidjson::MemoryStream stream(text.data(), text.size());
    rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> input(stream);
    Guard guard(document, limits);
    bool refused = false;
    auto generate = [&](Document&) {
        const auto outcome = reader.Parse<parse_flags>(input, guard);
        refused = outcome.IsError();
        return !refused;
    };
    document.Populate(generate);
    if (refused) {
        const std::string why = !guard.complaint().empty()
                                    ? guard.complaint()
                                    : rapidjson::GetParseError_En(reader.GetParseErrorCode());
        return Error{Code::invalid,
                     fmt::format("not valid JSON at byte {}: {}", reader.GetErrorOffset(), why)};
    }
    Deduplicator(duplicates).run(document);
    return document;
}

Result<Document> parse(std::string_view text, const Limits& limits) {
    std::vector<std::string> duplicates;
    Document document = TRY(parse_lenient(text, duplicates, limits));
    if (!duplicates.empty()) {
        return Error{Code::invalid, fmt::format("duplicate field \"{}\"", duplicates.front())};
    }
    return document;
}

Result<void> check(const Value& root, const Limits& limits) {
    struct Item {
        const Value* value;
        std::size_t depth;  // of the containers around it
    };
    std::vector<Item> stack{{&root, 0}};
    std::size_t nodes = 0;
    while (!stack.empty()) {
        const Item item = stack.back();
        stack.pop_back();
        if (++nodes > limits.nodes) {
            return Error{Code::invalid, fmt::format("more than {} values", limits.nodes)};
        }
        const bool is_array = item.value->IsArray();
        if (!is_array && !item.value->IsObject()) continue;
        if (item.depth >= limits.depth) {
            return Error{Code::invalid, fmt::format("nested deeper than {} levels", limits.depth)};
        }
        if (is_array) {
            for (const Value& inner : item.value->GetArray()) {
                stack.push_back({&inner, item.depth + 1});
            }
            continue;
        }
        for (const auto& m : item.value->GetObject()) {
            TRY(check_key(m.name.GetStringLength(), limits));
            stack.push_back({&m.value, item.depth + 1});
        }
    }
    return {};
}

std::string text(const Value& value) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    value.Accept(writer);
    return {buffer.GetString(), buffer.GetSize()};
}

std::string pretty(const Value& value) {
    rapidjson::StringBuffer buffer;
    rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
    writer.SetIndent(' ', 2);
    value.Accept(writer);
    return {buffer.GetString(), buffer.GetSize()};
}

std::string canonical(const Value& value) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    write_canonical(value, writer);
    return {buffer.GetString(), buffer.GetSize()};
}

const Value* find(const Value& value, std::initializer_list<std::string_view> path) {
    const Value* at = &value;
    for (const std::string_view name : path) {
        if (!at->IsObject()) return nullptr;
        const auto member = at->FindMember(Value(
            rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size()))));
        if (member == at->MemberEnd()) return nullptr;
        at = &member->value;
    }
    return at;
}

Value* find(Value& value, std::initializer_list<std::string_view> path) {
    return const_cast<Value*>(find(static_cast<const Value&>(value), path));
}

std::string string_at(const Value& value, std::initializer_list<std::string_view> path) {
    const Value* found = find(value, path);
    return found && found->IsString() ? std::string(view(*found)) : std::string();
}

Value make(std::string_view string, Allocator& allocator) {
    return Value(string.data(), static_cast<rapidjson::SizeType>(string.size()), allocator);
}

void set(Value& object, std::string_view name, Value value, Allocator& allocator) {
    if (Value* existing = find(object, {name})) {
        *existing = std::move(value);
    } else {
        object.AddMember(make(name, allocator), std::move(value), allocator);
    }
}

void set(Value& object, std::string_view name, std::string_view string, Allocator& allocator) {
    set(object, name, make(string, allocator), allocator);
}

void remove(Value& object, std::string_view name) {
    object.EraseMember(
        Value(rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size()))));
}

Value& object_at(Value& object, std::string_view name, Allocator& allocator) {
    Value* existing = find(object, {name});
    if (!existing || !existing->IsObject()) {
        set(object, name, Value(rapidjson::kObjectType), allocator);
        existing = find(object, {name});
    }
    return *existing;
}

Document copy(const Value& value) {
    Document document;
    document.CopyFrom(value, document.GetAllocator());
    return document;
}

void merge_patch(Value& target, const Value& patch, Allocator& allocator) {
    if (!patch.IsObject()) {
        target.CopyFrom(patch, allocator);
        return;
    }
    if (!target.IsObject()) target.SetObject();
    std::vector<std::size_t> places;
    {
        const MemberIndex index(target);
        for (const auto& m : patch.GetObject()) places.push_back(index.find(view(m.name)));
    }
    std::vector<bool> keeps(target.MemberCount(), true);
    std::size_t i = 0;
    for (const auto& m : patch.GetObject()) {
        const std::size_t place = places[i++];
        const bool is_new = place == MemberIndex::npos;
        if (m.value.IsNull()) {
            if (!is_new) keeps[place] = false;
        } else if (is_new) {
            Value made;
            merge_patch(made, m.value, allocator);
            target.AddMember(make(view(m.name), allocator), std::move(made), allocator);
        } else {
            merge_patch((target.MemberBegin() + static_cast<std::ptrdiff_t>(place))->value, m.value,
                        allocator);
        }
    }
    if (std::find(keeps.begin(), keeps.end(), false) == keeps.end()) return;
    std::size_t at = 0;
    keep_members(target, [&](const Value::Member&) { return at >= keeps.size() || keeps[at++]; });
}

}  // namespace atelier::json
