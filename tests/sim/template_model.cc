#include "tests/sim/template_model.h"

#include <fmt/format.h>

#include <iterator>

namespace atelier::sim {

std::size_t draw(Random& random, std::size_t below) {
    return static_cast<std::size_t>(random.next() % below);
}

TemplateModel::TemplateModel(Random& random, std::vector<std::string> plugins)
    : random_(random), plugins_(std::move(plugins)) {
    nodes_["root"] = {"", "sonnet", "lead", {}};
    for (int i = 0; i < 3; ++i) (void)edit();
}

std::string TemplateModel::pick() {
    auto it = nodes_.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(draw(random_, nodes_.size())));
    return it->first;
}

bool TemplateModel::is_below(const std::string& key, const std::string& ancestor) const {
    for (std::string at = key; !at.empty(); at = nodes_.at(at).parent) {
        if (at == ancestor) return true;
    }
    return false;
}

std::string TemplateModel::edit() {
    const std::string key = pick();
    Node& node = nodes_.at(key);
    switch (draw(random_, nodes_.size() < 4 ? 3 : 7)) {
        case 0:
        case 1: {
            const std::string fresh = fmt::format("n{}", ++made_);
            nodes_[fresh] = {key, "sonnet", "work", {}};
            return "add " + fresh + " below " + key;
        }
        case 2: {
            const std::string& plugin = plugins_[draw(random_, plugins_.size())];
            if (!node.plugins.insert(plugin).second) node.plugins.erase(plugin);
            return "toggle plugin " + plugin + " of " + key;
        }
        case 3:
            node.model = fmt::format("model-{}", draw(random_, 9));
            return "model of " + key;
        case 4:
            node.prompt = fmt::format("prompt {}", draw(random_, 99));
            return "prompt of " + key;
        case 5: {
            const std::string to = pick();
            if (key == "root" || is_below(to, key)) return "nothing";
            node.parent = to;
            return "move " + key + " below " + to;
        }
        default: {
            if (key == "root") return "nothing";
            const std::string parent = node.parent;
            nodes_.erase(key);
            for (auto& [other, child] : nodes_) {
                if (child.parent == key) child.parent = parent;
            }
            return "remove " + key;
        }
    }
}

void TemplateModel::write(const std::string& parent, int depth, std::string& yaml) const {
    const std::string pad(static_cast<std::size_t>(depth) * 4, ' ');
    for (const auto& [key, node] : nodes_) {
        if (node.parent != parent) continue;
        yaml +=
            fmt::format("{0}- name: The {1}\n{0}  key: {1}\n{0}  model: {2}\n{0}  files_dir: {1}\n",
                        pad, key, node.model);
        yaml += pad + "  plugins: [";
        for (const std::string& plugin : node.plugins) {
            yaml += (plugin == *node.plugins.begin() ? "" : ", ") + plugin;
        }
        yaml += "]\n";
        std::string children;
        write(key, depth + 1, children);
        if (!children.empty()) yaml += pad + "  children:\n" + children;
    }
}

drivers::Tree TemplateModel::files() const {
    drivers::Tree tree;
    std::string yaml = "name: Simulated\nworkspaces:\n";
    write("", 1, yaml);
    tree["org.yaml"].bytes = yaml;
    for (const auto& [key, node] : nodes_) {
        tree[key + "/system-prompt.md"].bytes = node.prompt + " of " + key + "\n";
    }
    return tree;
}

}  // namespace atelier::sim
