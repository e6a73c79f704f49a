// The rules that a machine can check over the sources themselves.
#include <gtest/gtest.h>

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
    {"reconcilers", {{"base", "crds", "drivers", "store"}, {"store/store.h"}, {}}},
    {"controllers",
     {{"base", "crds", "store", "reconcilers"}, {"store/store.h", "reconcilers/reconciler.h"}, {}}},
    {"apiserver", {{"base", "crds", "store"}, {"store/store.h"}, {"boost/beast", "boost/asio"}}},
    {"cli", {{"base", "crds"}, {}, {"cpprest/", "boost/program_options"}}},
    {"agent", {{"base"}, {}, {"boost/beast", "boost/asio"}}},
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
                for (const std::string& allowed : room.only) {
                    if (starts(allowed, other + "/")) {
                        EXPECT_EQ(header, allowed) << "in " << file;
                    }
                }
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
