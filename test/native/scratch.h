#pragma once

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "check.h"

namespace scratch {

/// An empty directory that is removed with its content.
class Directory {
public:
    Directory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "domino-vss-test-XXXXXX").string();
        CHECK(::mkdtemp(pattern.data()) != nullptr);
        path_ = std::filesystem::canonical(pattern);
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::string at(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

inline void write(const std::string& file, const std::string& content) {
    std::ofstream out(file, std::ios::binary);
    out << content;
    out.close();
    CHECK(out.good());
}

inline std::string read(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    CHECK(in.good());
    return {std::istreambuf_iterator<char>(in), {}};
}

inline bool exists(const std::string& file) {
    return std::filesystem::exists(std::filesystem::symlink_status(file));
}

/// A regular file that can be opened, but its first bytes cannot be read: EIO.
constexpr const char* kUnreadable = "/proc/self/mem";

/// While it lives, this process can have no more of something: RLIMIT_NOFILE of open files (EMFILE), RLIMIT_FSIZE of
/// bytes in a file (EFBIG).
class Limit {
public:
    Limit(__rlimit_resource resource, rlim_t value) : resource_(resource) {
        std::signal(SIGXFSZ, SIG_IGN);
        CHECK(::getrlimit(resource, &before_) == 0);
        const rlimit less{value, before_.rlim_max};
        CHECK(::setrlimit(resource, &less) == 0);
    }
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;
    ~Limit() { ::setrlimit(resource_, &before_); }

private:
    __rlimit_resource resource_;
    rlimit before_{};
};

}  // namespace scratch
