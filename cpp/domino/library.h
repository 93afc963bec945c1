#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "domino/c_api.h"

namespace domino_vss::domino {

/// The Domino runtime library, loaded only from the program directory. Never unloaded: it owns threads and shared
/// memory until the process ends.
class Library {
public:
    /// Throws Failure: not found, writable by ordinary users (unless `trusted`), a dependent library missing, wrong
    /// bitness, functions missing, or already loaded by other code. Not thread-safe.
    [[nodiscard]] static std::unique_ptr<Library> load(const std::string& programDirectory, bool trusted);

    [[nodiscard]] const Api& api() const noexcept { return api_; }
    [[nodiscard]] const std::vector<std::string>& missingFunctions() const noexcept { return missing_; }

private:
    Library() = default;
    /// The address of an exported function, or nullptr.
    using Find = std::function<void*(const char* name)>;
    void resolve(const Find& findFunction, const std::string& file);
    /// The runtime can be initialised only once per process. A library that is loaded before we load it belongs to
    /// other code, for example to another copy of this package. `present` is its handle, or nullptr.
    static void requireOwn(const void* present, const std::string& file);
    /// Records a handle that `load` opened, so that a second attempt after a failed start is not refused.
    static void own(const void* handle);

    Api api_{};
    std::vector<std::string> missing_;
};

/// Refuses a file that an ordinary user could have replaced: the file or a directory above it is writable by users
/// other than root and the current user, or, on Windows, by a group that all users belong to. Throws Failure with the
/// command that corrects the permissions.
void requireTrustedFile(const std::string& file);

/// Runs the function at normal process exit, while the library is still usable. Does nothing on Windows, where the
/// other threads no longer exist then; there, only the JavaScript `exit` listener terminates the runtime.
void callAtExit(void (*function)());

}  // namespace domino_vss::domino
