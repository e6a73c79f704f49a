// The rules that a machine can check over the sources themselves.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path root = ATELIER_SOURCE_DIR;

struct Room {
    std::set<std::string> rooms;    // whose headers it may include
    std::vector<std::string> only;  // when set for a room above: these headers alone ("room/…")
    std::vector<std::string> libraries;  // heavy third-party headers that belong to it
};

const std::map<std::string, Room> picture{
    {"base", {{}, {}, {}}},
    {"crds", {{"base"}, {}, {}}},
    {"drivers", {{"base"}, {}, {"curl/", "git2", "archive"}}},
    {"store", {{"base", "crds"}, {}, {"sqlite3", "pqxx/", "libpq"}}},
    {"templates",
     {{"base", "crds", "drivers"},
      {"drivers/trees/tree.h", "drivers/trees/read_tree.h", "drivers/git/ref.h"},
      {}}},
    {"reconcilers", {{"base", "crds", "drivers", "store", "templates"}, {"store/store.h"}, {}}},
    {"forecast",
     {{"base", "crds", "drivers", "store", "templates", "reconcilers"},
      {"store/store.h", "store/overlay.h"},
      {}}},
    {"controllers",
     {{"base", "crds", "store", "reconcilers"}, {"store/store.h", "reconcilers/reconciler.h"}, {}}},
    {"apiserver", {{"base", "crds", "store"}, {"store/store.h"}, {"boost/beast", "boost/asio"}}},
    {"cli", {{"base", "crds"}, {}, {"cpprest/", "boost/program_options"}}},
    {"agent", {{"base"}, {}, {"boost/beast", "boost/asio"}}},
};

// The floors inside a room, lowest first: a sub-folder and whose headers it may include, all of
// which stand above it in this list, so that no two sub-folders can need each other. "" is the
// room's own folder. A room that is here has every one of its sub-folders here.
using Floors = std::vector<std::pair<std::string, std::set<std::string>>>;

const std::map<std::string, Floors> floors{
    {"apiserver",
     {{"resources", {}},
      {"http", {}},
      {"identity", {"http"}},
      {"present", {"http", "resources"}},
      {"request", {"http", "identity", "present", "resources"}},
      {"watch", {"http", "present", "resources"}},
      {"documents", {"http", "present", "request", "resources"}},
      {"plans", {"present", "request", "resources"}},
      {"verbs", {"http", "identity", "present", "request", "resources", "watch"}},
      {"webhooks", {"http", "identity", "request", "verbs"}},
      {"",
       {"documents", "http", "identity", "plans", "present", "request", "resources", "verbs",
        "watch", "webhooks"}}}},
    {"drivers",
     {{"trees", {}},
      {"git", {"trees"}},
      {"", {"trees"}},
      {"docker", {"", "trees"}},
      {"process", {"", "trees"}},
      {"plugins", {"", "trees"}}}},
    {"cli",
     {{"client", {}},
      {"output", {"client"}},
      {"session", {"client", "output"}},
      {"objects", {"client", "output", "session"}},
      {"verbs", {"client", "objects", "output", "session"}},
      {"", {"output", "session", "verbs"}}}},
};

std::vector<fs::path> sources(const std::string& room) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
        const auto extension = entry.path().extension();
        if (extension == ".h" || extension == ".cc") found.push_back(entry.path());
    }
    return found;
}

std::vector<std::string> lines(const fs::path& file) {
    std::vector<std::string> out;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

bool starts(const std::string& text, const std::string& prefix) {
    return text.compare(0, prefix.size(), prefix) == 0;
}

TEST(Tidy, IncludeEdgesAreThoseOfTheArchitecture) {
    const std::regex quoted("^#include \"([^\"]+)\"");
    for (const auto& [name, room] : picture) {
        for (const fs::path& file : sources(name)) {
            for (const std::string& line : lines(file)) {
                std::smatch match;
                if (!std::regex_search(line, match, quoted)) continue;
                const std::string header = match[1];
                const std::string other = header.substr(0, header.find('/'));
                if (other == name || !picture.contains(other)) continue;
                EXPECT_TRUE(room.rooms.contains(other))
                    << file << " may not include " << header << ": not in the picture";
                const bool limited =
                    std::any_of(room.only.begin(), room.only.end(),
                                [&](const std::string& one) { return starts(one, other + "/"); });
                EXPECT_TRUE(!limited || std::find(room.only.begin(), room.only.end(), header) !=
                                            room.only.end())
                    << file << " may not include " << header;
            }
        }
    }
}

// "present" of "apiserver/present/table.h"; "" of "apiserver/api.h".
std::string floor_of(const std::string& path) {
    const std::size_t first = path.find('/');
    const std::size_t second = path.find('/', first + 1);
    return second == std::string::npos ? "" : path.substr(first + 1, second - first - 1);
}

TEST(Tidy, IncludesInsideARoomGoDownwards) {
    const std::regex quoted("^#include \"([^\"]+)\"");
    for (const auto& [room, list] : floors) {
        std::map<std::string, std::set<std::string>> allowed;
        for (const auto& [floor, lower] : list) {
            for (const std::string& one : lower) {
                EXPECT_TRUE(allowed.contains(one))
                    << room << "/" << floor << " may include " << one << ", which is not below it";
            }
            allowed[floor] = lower;
        }
        for (const fs::path& file : sources(room)) {
            const std::string mine = floor_of(fs::relative(file, root).string());
            ASSERT_TRUE(allowed.contains(mine)) << file << " is on no floor of " << room;
            for (const std::string& line : lines(file)) {
                std::smatch match;
                if (!std::regex_search(line, match, quoted)) continue;
                const std::string header = match[1];
                if (!starts(header, room + "/")) continue;
                const std::string other = floor_of(header);
                EXPECT_TRUE(other == mine || allowed[mine].contains(other))
                    << file << " may not include " << header << ": " << room << "/" << mine
                    << " does not stand on " << other;
            }
        }
    }
}

TEST(Tidy, LibrariesStayInTheirRooms) {
    const std::regex angled("^#include <([^>]+)>");
    for (const auto& [name, room] : picture) {
        for (const fs::path& file : sources(name)) {
            for (const std::string& line : lines(file)) {
                std::smatch match;
                if (!std::regex_search(line, match, angled)) continue;
                const std::string header = match[1];
                for (const auto& [owner, other] : picture) {
                    for (const std::string& library : other.libraries) {
                        if (!starts(header, library)) continue;
                        const auto& mine = room.libraries;
                        EXPECT_TRUE(std::find(mine.begin(), mine.end(), library) != mine.end())
                            << file << " includes <" << header << ">, which belongs to " << owner;
                    }
                }
            }
        }
    }
}

TEST(Tidy, TimeChanceAndEnvironmentComeFromOutside) {
    const std::regex forbidden(
        R"((system_clock::now|std::rand\b|\bgetenv\(|sleep_for|sleep_until|random_device))");
    for (const auto& [name, room] : picture) {
        if (name == "base") continue;
        for (const fs::path& file : sources(name)) {
            int number = 0;
            for (const std::string& line : lines(file)) {
                ++number;
                EXPECT_FALSE(std::regex_search(line, forbidden))
                    << file << ":" << number << ": " << line;
            }
        }
    }
}

TEST(Tidy, LinesFitAndNothingIsLeftForLater) {
    for (const auto& [name, room] : picture) {
        for (const fs::path& file : sources(name)) {
            int number = 0;
            for (const std::string& line : lines(file)) {
                ++number;
                EXPECT_LE(line.size(), 120u) << file << ":" << number;
                EXPECT_EQ(line.find("TODO"), std::string::npos) << file << ":" << number;
                EXPECT_EQ(line.find("FIXME"), std::string::npos) << file << ":" << number;
                EXPECT_EQ(line.find('\t'), std::string::npos) << file << ":" << number;
            }
        }
    }
}

// Every test below tests/, as "Suite.Name".
std::set<std::string> tests_of_the_tree() {
    const std::regex test(R"(^TEST(?:_F|_P)?\((\w+),\s*(\w+)\))");
    std::set<std::string> names;
    for (const fs::path& file : sources("tests")) {
        for (const std::string& line : lines(file)) {
            std::smatch match;
            if (std::regex_search(line, match, test)) {
                names.insert(match[1].str() + "." + match[2].str());
            }
        }
    }
    return names;
}

// "Scenario03And04_X" -> 3, 4; "Scenario53_54_Y" -> 53, 54.
std::set<int> numbers_of(const std::string& test) {
    const std::regex scenario(R"(Scenario(\d+)((?:(?:And|_)\d+)*))");
    std::set<int> numbers;
    std::smatch match;
    if (!std::regex_search(test, match, scenario)) return numbers;
    const std::regex digits(R"(\d+)");
    const std::string text = match[0].str();
    for (std::sregex_iterator at(text.begin(), text.end(), digits), end; at != end; ++at) {
        numbers.insert(std::stoi(at->str()));
    }
    return numbers;
}

TEST(Tidy, EveryScenarioHasItsTestOrSaysWhichPartBringsIt) {
    const std::set<std::string> tests = tests_of_the_tree();
    ASSERT_GT(tests.size(), 300u);
    std::map<int, std::set<std::string>> held;
    const std::regex row(R"(^\| (\d+) \| [^|]+ \| (.+) \|$)");
    const std::regex quoted(R"((golden )?`([^`]+)`)");
    for (const std::string& line : lines(root / "docs/scenarios.md")) {
        std::smatch match;
        if (!std::regex_match(line, match, row)) continue;
        const int number = std::stoi(match[1]);
        EXPECT_FALSE(held.contains(number)) << number << " has two rows";
        const std::string by = match[2];
        const std::string own = by.substr(0, std::min(by.find("later: "), by.find("none: ")));
        EXPECT_TRUE(own.size() < by.size() || !own.empty()) << line;
        auto& names = held[number];
        for (std::sregex_iterator at(own.begin(), own.end(), quoted), end; at != end; ++at) {
            const std::string name = (*at)[2];
            if ((*at)[1].matched) {
                EXPECT_TRUE(fs::exists(root / "tests/golden" / name)) << number << ": " << name;
            } else {
                EXPECT_TRUE(tests.contains(name)) << number << ": there is no test " << name;
                EXPECT_TRUE(numbers_of(name).contains(number)) << name << " lacks its number";
            }
            names.insert(name);
        }
        EXPECT_TRUE(!names.empty() || own.empty()) << line;
    }
    for (int number = 1; number <= 59; ++number) EXPECT_TRUE(held.contains(number)) << number;
}

TEST(Tidy, Scenario57_NoNetworkHasANameOfTheOldSystem) {
    const std::regex old(R"(molecule-(core|monorepo)-net)");
    for (const auto& [name, room] : picture) {
        for (const fs::path& file : sources(name)) {
            for (const std::string& line : lines(file)) {
                EXPECT_FALSE(std::regex_search(line, old)) << file << ": " << line;
            }
        }
    }
}

TEST(Tidy, EveryHeaderIsGuarded) {
    for (const auto& [name, room] : picture) {
        for (const fs::path& file : sources(name)) {
            if (file.extension() != ".h") continue;
            const auto text = lines(file);
            EXPECT_TRUE(std::find(text.begin(), text.end(), "#pragma once") != text.end()) << file;
        }
    }
}

}  // namespace
