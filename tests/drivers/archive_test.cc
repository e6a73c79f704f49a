#include "drivers/trees/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

namespace atelier::drivers {
namespace {

const TarOwner owner{1000, 1001, parse_rfc3339("2026-01-02T03:04:05Z").operator*()};

File file(std::string bytes, bool executable = false) {
    return {File::Kind::regular, executable, std::move(bytes)};
}

bool same(const Tree& a, const Tree& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](auto& x, auto& y) {
               return x.first == y.first && x.second.kind == y.second.kind &&
                      x.second.executable == y.second.executable &&
                      x.second.bytes == y.second.bytes;
           });
}

struct Made {
    std::string path = {};
    unsigned type = AE_IFREG;
    std::string bytes = {};
    std::string link = {};  // symbolic, with AE_IFLNK
    std::string hardlink = {};
    unsigned mode = 0644;
};

// A tar with whatever a hostile one may hold.
std::string tar_of(const std::vector<Made>& entries, bool gzip = false) {
    std::string out(std::size_t{1} << 20, '\0');
    std::size_t used = 0;
    archive* a = archive_write_new();
    archive_write_set_format_pax(a);
    if (gzip) archive_write_add_filter_gzip(a);
    archive_write_open_memory(a, out.data(), out.size(), &used);
    for (const Made& made : entries) {
        archive_entry* entry = archive_entry_new();
        archive_entry_set_pathname(entry, made.path.c_str());
        archive_entry_set_filetype(entry, made.type);
        archive_entry_set_perm(entry, static_cast<mode_t>(made.mode));
        archive_entry_set_size(entry, static_cast<la_int64_t>(made.bytes.size()));
        if (!made.link.empty()) archive_entry_set_symlink(entry, made.link.c_str());
        if (!made.hardlink.empty()) archive_entry_set_hardlink(entry, made.hardlink.c_str());
        EXPECT_GE(archive_write_header(a, entry), ARCHIVE_WARN) << archive_error_string(a);
        if (!made.bytes.empty()) archive_write_data(a, made.bytes.data(), made.bytes.size());
        archive_entry_free(entry);
    }
    archive_write_close(a);
    archive_write_free(a);
    out.resize(used);
    return out;
}

TEST(Archive, WhatIsWrittenIsReadAgain) {
    const Tree tree{{"a", file("one")},
                    {"d/empty", file("")},
                    {"d/run.sh", file("#!/bin/sh\n", true)},
                    {"d/link", {File::Kind::symlink, false, "../a"}},
                    {"höhe/日本.txt", file("names are bytes")},
                    {std::string(300, 'x') + "/" + std::string(200, 'y'), file("long")},
                    {"big", file(std::string(3'000'000, 'b'))}};
    const auto tar = write_tar(tree, "", owner);
    ASSERT_TRUE(tar) << tar.error().message;
    const auto read = read_tar(*tar);
    ASSERT_TRUE(read) << read.error().message << read.error().detail;
    EXPECT_TRUE(same(tree, *read));
}

TEST(Archive, PrefixOwnerAndTimeAreWritten) {
    const Tree tree{{"s/f", file("x", true)}};
    const auto tar = write_tar(tree, "p/q", owner);
    ASSERT_TRUE(tar);
    archive* a = archive_read_new();
    archive_read_support_format_tar(a);
    ASSERT_EQ(archive_read_open_memory(a, tar->data(), tar->size()), ARCHIVE_OK);
    std::vector<std::string> seen;
    archive_entry* entry = nullptr;
    while (archive_read_next_header(a, &entry) == ARCHIVE_OK) {
        seen.push_back(archive_entry_pathname(entry));
        EXPECT_EQ(archive_entry_uid(entry), 1000);
        EXPECT_EQ(archive_entry_gid(entry), 1001);
        EXPECT_EQ(archive_entry_mtime(entry), 1767323045);
        EXPECT_EQ(archive_entry_perm(entry), 0755U);
    }
    archive_read_free(a);
    EXPECT_EQ(seen, (std::vector<std::string>{"p/", "p/q/", "p/q/s/", "p/q/s/f"}));
}

TEST(Archive, StreamHoldsOnePieceAtATime) {
    const Tree tree{{"big", file(std::string(std::size_t{8} << 20, 'b'))}};
    TarStream stream(tree, "", owner);
    std::vector<char> buffer(std::size_t{1} << 22);
    std::size_t largest = 0;
    std::size_t total = 0;
    for (;;) {
        const auto size = stream.read(buffer.data(), buffer.size());
        ASSERT_TRUE(size);
        if (*size == 0) break;
        largest = std::max(largest, *size);
        total += *size;
    }
    EXPECT_GT(total, std::size_t{8} << 20);
    EXPECT_LE(largest, std::size_t{128} << 10);
}

TEST(Archive, UnsafePathsAreNotWritten) {
    EXPECT_EQ(write_tar({{"../x", file("x")}}, "", owner).error().code, Code::invalid);
    EXPECT_EQ(write_tar({{"/x", file("x")}}, "", owner).error().code, Code::invalid);
    EXPECT_EQ(write_tar({{"x", file("x")}}, "a/..", owner).error().code, Code::invalid);
}

TEST(Archive, HostileEntriesAreRefused) {
    const std::vector<std::pair<Made, std::string>> refusals{
        {{"../x"}, "leads outside"},
        {{"a/../../x"}, "leads outside"},
        {{"/etc/x"}, "leads outside"},
        {{"dev", AE_IFCHR}, "neither file"},
        {{"disk", AE_IFBLK}, "neither file"},
        {{"pipe", AE_IFIFO}, "neither file"},
        {{"l", AE_IFLNK, "", "/etc/passwd"}, "leads outside"},
        {{"d/l", AE_IFLNK, "", "../../x"}, "leads outside"},
        {{"d/l", AE_IFLNK, "", "../e/../../x"}, "leads outside"},
        {{"h", AE_IFREG, "", "", "a"}, "hard link"}};
    for (const auto& [made, why] : refusals) {
        const auto read = read_tar(tar_of({{"a", AE_IFREG, "1"}, made}));
        ASSERT_FALSE(read) << made.path;
        EXPECT_EQ(read.error().code, Code::invalid) << made.path;
        EXPECT_NE(read.error().message.find(why), std::string::npos) << read.error().message;
    }
}

TEST(Archive, NothingGoesThroughALink) {
    const auto read = read_tar(tar_of({{"d", AE_IFLNK, "", "e"}, {"d/f", AE_IFREG, "x"}}));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::invalid);
}

TEST(Archive, SetuidIsLeftBehind) {
    const auto read = read_tar(tar_of({{"./s", AE_IFREG, "x", "", "", 06755}}));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->at("s").executable);
}

TEST(Archive, LimitsHoldBeforeMemoryIsUsed) {
    const std::string tar = tar_of({{"a", AE_IFREG, std::string(1000, 'a')}, {"b"}, {"c"}});
    EXPECT_EQ(read_tar(tar, {2, 10'000}).error().code, Code::too_large);
    EXPECT_EQ(read_tar(tar, {10, 999}).error().code, Code::too_large);
    EXPECT_TRUE(read_tar(tar, {3, 1000}));
}

TEST(Archive, GzipIsRead) {
    const auto read = read_tar(tar_of({{"a", AE_IFREG, std::string(100'000, 'a')}}, true));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->at("a").bytes.size(), 100'000U);
}

TEST(Archive, DamageIsNotTakenForTheEnd) {
    const auto tar = write_tar({{"a", file(std::string(5000, 'a'))}}, "", owner);
    ASSERT_TRUE(tar);
    EXPECT_EQ(read_tar(std::string_view(*tar).substr(0, 2000)).error().code, Code::invalid);
    EXPECT_EQ(read_tar("certainly not a tar").error().code, Code::invalid);
    const std::string gzip = tar_of({{"a", AE_IFREG, std::string(100'000, 'q')}}, true);
    EXPECT_EQ(read_tar(std::string_view(gzip).substr(0, gzip.size() / 2)).error().code,
              Code::invalid);
}

}  // namespace
}  // namespace atelier::drivers
