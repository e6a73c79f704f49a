#include "base/json.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "base/json_members.h"

namespace atelier::json {
namespace {

constexpr unsigned parse_flags = rapidjson::kParseIterativeFlag |
                                 rapidjson::kParseValidateEncodingFlag |
                                 rapidjson::kParseFullPrecisionFlag;

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
        return no_nul(s, n) && document_.Key(s, n, c);
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

    Document& document_;
    const Limits& limits_;
    std::size_t nodes_ = 0;
    std::size_t depth_ = 0;
    std::string complaint_;
};

// Removes earlier ones of equal keys, and names them. Iterates with its own stack.
void drop_duplicates(Value& root, std::vector<std::string>& duplicates) {
    struct Item {
        Value* value;
        std::string path;
    };
    std::vector<Item> stack{{&root, ""}};
    while (!stack.empty()) {
        Item item = std::move(stack.back());
        stack.pop_back();
        if (item.value->IsArray()) {
            std::size_t i = 0;
            for (Value& element : item.value->GetArray()) {
                if (element.IsObject() || element.IsArray()) {
                    stack.push_back({&element, fmt::format("{}[{}]", item.path, i)});
                }
                ++i;
            }
            continue;
        }
        if (!item.value->IsObject()) continue;
        std::unordered_set<std::string_view> seen;
        for (auto m = item.value->MemberEnd(); m != item.value->MemberBegin();) {
            --m;
            if (seen.insert(view(m->name)).second) continue;
            duplicates.push_back(item.path.empty() ? std::string(view(m->name))
                                                   : item.path + "." + std::string(view(m->name)));
            m = item.value->EraseMember(m);
            seen.clear();
            for (auto later = m; later != item.value->MemberEnd(); ++later) {
                seen.insert(view(later->name));
            }
        }
        for (auto& m : item.value->GetObject()) {
            if (m.value.IsObject() || m.value.IsArray()) {
                stack.push_back({&m.value, item.path.empty()
                                               ? std::string(view(m.name))
                                               : item.path + "." + std::string(view(m.name))});
            }
        }
    }
}

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
    drop_duplicates(document, duplicates);
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
