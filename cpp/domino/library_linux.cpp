#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "domino/library.h"
#include "system/current_call.h"
#include "system/failure.h"

namespace domino_vss::domino {

namespace {

constexpr const char* kLibraryName = "libnotes.so";

void requireTrusted(const std::filesystem::path& path, bool isAncestor) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        throw systemFailure(code::kDominoLibrary, Phase::runtime, "stat", path.string(), errno);
    const bool ownerTrusted = status.st_uid == 0 || status.st_uid == ::geteuid();
    const bool othersWrite = (status.st_mode & S_IWOTH) != 0;
    const bool foreignGroupWrites =
        (status.st_mode & S_IWGRP) != 0 && status.st_gid != 0 && status.st_gid != ::getegid();
    // In a sticky directory such as /tmp, other users cannot replace what belongs to a trusted owner.
    const bool sticky = isAncestor && (status.st_mode & S_ISVTX) != 0;
    if (ownerTrusted && ((!othersWrite && !foreignGroupWrites) || sticky)) return;
    const std::string words = ownerTrusted ? "ordinary users can write to it" : "it belongs to another ordinary user";
    const std::string mode = std::string(foreignGroupWrites ? "g" : "") + (othersWrite ? "o" : "") + "-w";
    throw Failure(code::kDominoLibraryUnsafe, Phase::runtime,
                  words + ", so the library is not loaded: " + (ownerTrusted ? "chmod " + mode : "chown root") + " '" +
                      path.string() + "'",
                  path.string());
}

Failure loadFailure(const std::string& file, std::string_view reason) {
    const char* failureCode = code::kDominoLibrary;
    // The loader skips a library of another machine type and then reports the library itself as missing.
    const bool passedOver = reason.starts_with(file + ": cannot open shared object file");
    if (passedOver || reason.find("wrong ELF class") != std::string_view::npos)
        failureCode = code::kDominoBitness;
    else if (reason.find("cannot open shared object file") != std::string_view::npos)
        failureCode = code::kDominoEnvironment;  // the library exists, but one of its dependencies is not found
    Failure failure(failureCode, Phase::runtime, std::string(reason), file);
    failure.operation = "dlopen";
    return failure;
}

}  // namespace

void requireTrustedFile(const std::string& file) {
    std::error_code error;
    const std::filesystem::path resolved = std::filesystem::canonical(file, error);
    if (error) throw systemFailure(code::kDominoLibrary, Phase::runtime, "realpath", file, error.value());
    requireTrusted(resolved, false);
    requireTrusted(resolved.parent_path(), false);
    for (auto directory = resolved.parent_path(); directory.has_relative_path();) {
        directory = directory.parent_path();
        requireTrusted(directory, true);
    }
}

std::unique_ptr<Library> Library::load(const std::string& programDirectory, bool trusted) {
    const std::string file = (std::filesystem::path(programDirectory) / kLibraryName).string();
    if (!std::filesystem::path(programDirectory).is_absolute())
        throw Failure(code::kDominoLibrary, Phase::runtime, "the program directory must be an absolute path", file);
    if (!trusted) requireTrustedFile(file);
    if (void* const present = ::dlopen(file.c_str(), RTLD_NOW | RTLD_NOLOAD)) {
        ::dlclose(present);  // it only counts references
        requireOwn(present, file);
    }
    // Local and deep-bound: Node exports symbols of OpenSSL and zlib that would otherwise replace Domino's own.
    CurrentCall::note("dlopen");
    void* const handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (handle == nullptr) {
        const char* const reason = ::dlerror();
        throw loadFailure(file, reason != nullptr ? reason : "unknown reason");
    }
    own(handle);
    std::unique_ptr<Library> library(new Library());
    library->resolve([handle](const char* name) { return ::dlsym(handle, name); }, file);
    return library;
}

void callAtExit(void (*function)()) {
    // Registered after the library was loaded, so it runs before the library's destructors.
    static const int kRegistered = std::atexit(function);
    static_cast<void>(kRegistered);
}

}  // namespace domino_vss::domino
