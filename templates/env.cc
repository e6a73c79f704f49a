#include "templates/env.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace atelier::templates {
namespace {

constexpr std::size_t longest_variable = 128;
constexpr std::size_t longest_persona = 100;

using Group = std::set<std::string>;

std::set<Group> groups_of(const std::vector<crds::EnvRequirement>& requirements) {
    std::set<Group> groups;
    for (const auto& requirement : requirements) {
        Group group(requirement.any_of.begin(), requirement.any_of.end());
        if (!group.empty()) groups.insert(std::move(group));
    }
    return groups;
}

// Groups of two or more that hold a name of `singles` ask for nothing new.
void drop_dominated(std::set<Group>& groups, const Group& singles) {
    std::erase_if(groups, [&](const Group& group) {
        return group.size() > 1 && std::any_of(group.begin(), group.end(), [&](const auto& name) {
                   return singles.contains(name);
               });
    });
}

Group singles_of(const std::set<Group>& groups) {
    Group singles;
    for (const Group& group : groups) {
        if (group.size() == 1) singles.insert(*group.begin());
    }
    return singles;
}

std::vector<crds::EnvRequirement> in_order(const std::set<Group>& groups) {
    std::vector<crds::EnvRequirement> out;
    for (const bool single : {true, false}) {
        for (const Group& group : groups) {
            if ((group.size() == 1) == single) out.push_back({{group.begin(), group.end()}});
        }
    }
    return out;
}

}  // namespace

std::string_view without_byte_order_mark(std::string_view text) {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    if (text.starts_with(mark)) text.remove_prefix(mark.size());
    return text;
}

bool is_env_name(std::string_view name) {
    return !name.empty() && name.size() <= longest_variable && !is_digit(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

bool is_required_env_name(std::string_view name) {
    return !name.empty() && name.size() <= longest_variable && is_upper(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return is_upper(c) || is_digit(c) || c == '_'; });
}

bool is_persona_key(std::string_view key) {
    const auto is_word = [](char c) { return is_letter(c) || is_digit(c); };
    return !key.empty() && key.size() <= longest_persona && is_word(key.front()) &&
           is_word(key.back()) && std::all_of(key.begin(), key.end(), [&](char c) {
               return is_word(c) || c == '_' || c == '-';
           });
}

std::string text_of(const std::vector<crds::EnvRequirement>& requirements) {
    std::vector<std::string> texts;
    for (const crds::EnvRequirement& one : requirements) {
        texts.push_back(join(one.any_of, " or "));
    }
    return join(texts, ", ");
}

EnvRequirements united(const EnvRequirements& all) {
    auto required = groups_of(all.required);
    auto recommended = groups_of(all.recommended);
    const Group singles = singles_of(required);
    drop_dominated(required, singles);
    drop_dominated(recommended, singles);
    drop_dominated(recommended, singles_of(recommended));
    for (const Group& group : required) recommended.erase(group);
    return {in_order(required), in_order(recommended)};
}

}  // namespace atelier::templates
