#include "apiserver/verbs/json_tree.h"

#include <charconv>
#include <iterator>

#include "base/json_members.h"

namespace atelier::apiserver {
namespace {

constexpr std::size_t most_in_block = 128;

// RFC 6901: digits without a leading zero.
bool parse_index(std::string_view text, std::size_t& index) {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), index);
    return ec == std::errc{} && end == text.data() + text.size();
}

}  // namespace

// Members in their order. One that was removed leaves an empty place behind.
struct JsonNode::Object {
    struct Member {
        std::string name;
        JsonNode node;
        bool removed = false;
    };
    std::vector<Member> members;
    std::unordered_map<std::string, std::size_t> places;
};

struct JsonNode::Array {
    std::vector<std::vector<JsonNode>> blocks;  // none of them empty
    std::size_t size = 0;

    // Where an element stands; of `size`, behind the last one.
    std::pair<std::size_t, std::size_t> place(std::size_t index) const {
        std::size_t block = 0;
        while (block + 1 < blocks.size() && index >= blocks[block].size()) {
            index -= blocks[block++].size();
        }
        return {block, index};
    }
    void insert(std::size_t index, JsonNode node) {
        if (blocks.empty()) blocks.emplace_back();
        const auto [at, offset] = place(index);
        std::vector<JsonNode>& block = blocks[at];
        block.insert(block.begin() + static_cast<std::ptrdiff_t>(offset), std::move(node));
        ++size;
        if (block.size() <= most_in_block) return;
        const auto half = block.begin() + most_in_block / 2;
        std::vector<JsonNode> rest(std::make_move_iterator(half),
                                   std::make_move_iterator(block.end()));
        block.erase(half, block.end());
        blocks.insert(blocks.begin() + static_cast<std::ptrdiff_t>(at) + 1, std::move(rest));
    }
    JsonNode take(std::size_t index) {
        const auto [at, offset] = place(index);
        std::vector<JsonNode>& block = blocks[at];
        JsonNode out = std::move(block[offset]);
        block.erase(block.begin() + static_cast<std::ptrdiff_t>(offset));
        if (block.empty()) blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(at));
        --size;
        return out;
    }
};

JsonNode::JsonNode(json::Value value) : value_(std::move(value)) {}
JsonNode::JsonNode(JsonNode&&) noexcept = default;
JsonNode& JsonNode::operator=(JsonNode&&) noexcept = default;
JsonNode::~JsonNode() = default;

void JsonNode::open() {
    if (object_ || array_) return;
    if (value_.IsObject()) {
        object_ = std::make_unique<Object>();
        object_->members.reserve(value_.MemberCount());
        for (auto& m : value_.GetObject()) {
            std::string name(json::view(m.name));
            object_->places.emplace(name, object_->members.size());
            object_->members.push_back({std::move(name), JsonNode(std::move(m.value))});
        }
    } else if (value_.IsArray()) {
        array_ = std::make_unique<Array>();
        array_->size = value_.Size();
        for (json::Value& element : value_.GetArray()) {
            if (array_->blocks.empty() || array_->blocks.back().size() == most_in_block) {
                array_->blocks.emplace_back();
            }
            array_->blocks.back().emplace_back(std::move(element));
        }
    }
    if (object_ || array_) value_ = json::Value();
}

JsonNode* JsonNode::child(const std::string& step) {
    open();
    if (object_) {
        const auto place = object_->places.find(step);
        return place == object_->places.end() ? nullptr : &object_->members[place->second].node;
    }
    std::size_t index = 0;
    if (!array_ || !parse_index(step, index) || index >= array_->size) return nullptr;
    const auto [block, offset] = array_->place(index);
    return &array_->blocks[block][offset];
}

bool JsonNode::add(const std::string& step, JsonNode node) {
    if (JsonNode* existing = object_ || value_.IsObject() ? child(step) : nullptr) {
        *existing = std::move(node);
        return true;
    }
    open();
    if (object_) {
        object_->places.emplace(step, object_->members.size());
        object_->members.push_back({step, std::move(node)});
        return true;
    }
    if (!array_) return false;
    std::size_t index = array_->size;
    if (step != "-" && (!parse_index(step, index) || index > array_->size)) return false;
    array_->insert(index, std::move(node));
    return true;
}

JsonNode JsonNode::take(const std::string& step) {
    if (object_) {
        const auto place = object_->places.find(step);
        Object::Member& member = object_->members[place->second];
        object_->places.erase(place);
        member.removed = true;
        return std::move(member.node);
    }
    std::size_t index = 0;
    parse_index(step, index);
    return array_->take(index);
}

bool JsonNode::equals(const json::Value& wanted) const {
    if (array_) {
        if (!wanted.IsArray() || wanted.Size() != array_->size) return false;
        auto other = wanted.Begin();
        for (const auto& block : array_->blocks) {
            for (const JsonNode& element : block) {
                if (!element.equals(*other++)) return false;
            }
        }
        return true;
    }
    if (!object_) return json::equal(value_, wanted);
    if (!wanted.IsObject() || wanted.MemberCount() != object_->places.size()) return false;
    for (const auto& m : wanted.GetObject()) {
        const auto place = object_->places.find(std::string(json::view(m.name)));
        if (place == object_->places.end()) return false;
        if (!object_->members[place->second].node.equals(m.value)) return false;
    }
    return true;
}

json::Value JsonNode::copy(json::Allocator& allocator) const {
    if (object_) {
        json::Value out(rapidjson::kObjectType);
        for (const Object::Member& m : object_->members) {
            if (m.removed) continue;
            out.AddMember(json::make(m.name, allocator), m.node.copy(allocator), allocator);
        }
        return out;
    }
    if (!array_) return json::Value(value_, allocator);
    json::Value out(rapidjson::kArrayType);
    for (const auto& block : array_->blocks) {
        for (const JsonNode& element : block) out.PushBack(element.copy(allocator), allocator);
    }
    return out;
}

json::Value JsonNode::close(json::Allocator& allocator) {
    if (object_) {
        json::Value out(rapidjson::kObjectType);
        for (Object::Member& m : object_->members) {
            if (m.removed) continue;
            out.AddMember(json::make(m.name, allocator), m.node.close(allocator), allocator);
        }
        object_.reset();
        return out;
    }
    if (!array_) return std::move(value_);
    json::Value out(rapidjson::kArrayType);
    out.Reserve(static_cast<rapidjson::SizeType>(array_->size), allocator);
    for (auto& block : array_->blocks) {
        for (JsonNode& element : block) out.PushBack(element.close(allocator), allocator);
    }
    array_.reset();
    return out;
}

}  // namespace atelier::apiserver
