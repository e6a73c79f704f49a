// Templates put together at random from pieces of the corpus: whatever they say, they compile, or
// are refused, in good order and the same way each time (tests/fuzz/template_case.h).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "tests/fuzz/template_case.h"

namespace atelier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t rounds = 1500;
constexpr std::size_t most_bytes = 8'000;  // larger cases take their time and add nothing here

// Each template of the corpus, as one text.
std::vector<std::string> templates() {
    std::vector<fs::path> cases;
    for (const auto& entry :
         fs::directory_iterator(fs::path(ATELIER_SOURCE_DIR) / "tests" / "golden")) {
        if (entry.is_directory()) cases.push_back(entry.path() / "template");
    }
    std::sort(cases.begin(), cases.end());
    std::vector<std::string> texts;
    for (const fs::path& folder : cases) {
        std::vector<std::string> files;
        for (const auto& entry : fs::recursive_directory_iterator(folder)) {
            const std::string path = fs::relative(entry.path(), folder).string();
            if (entry.is_symlink()) {
                files.push_back(
                    fmt::format("=== {} -> {}\n", path, fs::read_symlink(entry.path()).string()));
            } else if (entry.is_regular_file()) {
                const auto bytes = read_file(entry.path());
                if (bytes) files.push_back(fmt::format("=== {}\n{}\n", path, *bytes));
            }
        }
        std::sort(files.begin(), files.end());
        const std::string text = join(files, "");
        if (text.size() <= most_bytes) texts.push_back(text);
    }
    return texts;
}

std::size_t below(Random& random, std::size_t n) {
    return static_cast<std::size_t>(random.next() % n);
}

// A few lines of one put into, or in place of, lines of the other.
std::string mixed(const std::string& into, const std::string& from, Random& random) {
    std::vector<std::string> lines = split(into, '\n');
    const std::vector<std::string> others = split(from, '\n');
    for (std::size_t change = 0; change < 1 + below(random, 4); ++change) {
        const auto at = lines.begin() + static_cast<std::ptrdiff_t>(below(random, lines.size()));
        const std::size_t first = below(random, others.size());
        const std::size_t count = std::min(others.size() - first, 1 + below(random, 5));
        const auto begin = others.begin() + static_cast<std::ptrdiff_t>(first);
        switch (below(random, 4)) {
            case 0:
                lines.insert(at, begin, begin + static_cast<std::ptrdiff_t>(count));
                break;
            case 1:
                *at = *begin;
                break;
            case 2:
                at->insert(below(random, at->size() + 1), std::string(1 + below(random, 3), ' '));
                break;
            default:
                if (!at->empty()) at->erase(below(random, at->size()), 1);
        }
    }
    return join(lines, "\n");
}

TEST(TemplateProperty, AnyTextCompilesOrIsRefusedInGoodOrder) {
    const auto corpus = templates();
    ASSERT_GT(corpus.size(), 50u);
    for (const std::string& text : corpus) {
        EXPECT_EQ(fuzz::wrong_with_template(text), "") << text;
    }
    SeededRandom random(20);
    for (std::size_t round = 0; round < rounds; ++round) {
        const std::string text = mixed(corpus[below(random, corpus.size())],
                                       corpus[below(random, corpus.size())], random);
        ASSERT_EQ(fuzz::wrong_with_template(text), "") << "round " << round << "\n" << text;
    }
}

}  // namespace
}  // namespace atelier
