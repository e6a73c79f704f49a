// Words that the glossary has replaced (docs/glossary.md) do not come back, neither as identifiers
// nor in comments and messages.
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path root = ATELIER_SOURCE_DIR;

// Each with the word to use instead. Names of types are matched with their case, so that "the pace"
// stays a word of prose.
const std::map<std::string, std::string> retired = {
    {"Seen", "Observed"},
    {"Desk", "WorkerPool"},
    {"Hastener", "Debouncer"},
    {"hastener", "debouncer"},
    {"Pace", "RateLimiter"},
    {"Scene", "ForecastContext"},
    {"Concerned", "AffectedWorkspaces"},
    {"Asked", "Request, or the word for what is asked"},
    {"Rounds", "Convergence"},
    {"Candidate", "the word for what is chosen from"},
    {"World", "Runtimes; ProcessContext in the command line"},
    {"Stand", "Progress"},
    {"told", "reported, recorded, shown"},
    {"Told", "reported, recorded, shown"},
    {"docker_things", "volumes, networks, images"},
    {"git_line", "pkt_line"},
};

bool is_retired(const std::string& word) {
    return retired.contains(word) || word.starts_with("tell_") || word.starts_with("look_at_");
}

// The words of a line: identifiers, and words of prose.
std::vector<std::string> words_of(const std::string& line) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : line + " ") {
        if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
            word += c;
        } else if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    }
    return words;
}

TEST(Words, RetiredOnesDoNotComeBack) {
    std::size_t read = 0;
    for (const char* room : {"agent", "apiserver", "base", "cli", "cmd", "controllers", "crds",
                             "drivers", "forecast", "reconcilers", "store", "templates"}) {
        for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
            const auto extension = entry.path().extension();
            if (extension != ".h" && extension != ".cc") continue;
            std::ifstream in(entry.path());
            int number = 0;
            for (std::string line; std::getline(in, line);) {
                ++number;
                // The names of kubectl's columns for events.
                if (line.find("\"Last Seen\"") != line.npos) continue;
                if (line.find("\"First Seen\"") != line.npos) continue;
                for (const std::string& word : words_of(line)) {
                    ++read;
                    if (!is_retired(word)) continue;
                    const auto instead = retired.find(word);
                    ADD_FAILURE() << fs::relative(entry.path(), root).string() << ":" << number
                                  << ": \"" << word << "\" is retired: "
                                  << (instead == retired.end() ? "say what it does"
                                                               : instead->second);
                }
            }
        }
    }
    EXPECT_GT(read, 100'000U) << "the sources were read";
}

}  // namespace
