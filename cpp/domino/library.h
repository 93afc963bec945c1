#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "domino/c_api.h"

namespace domino_vss::domino {

/// The Domino runtime library, loaded from the program directory and from nowhere else. Never unloaded: it owns threads
/// and shared memory for the rest of the process.
class Library {
public:
    /// Throws Failure: not found, writable by ordinary users unless it is `trusted` all the same, a dependent library
    /// missing, wrong bitness, functions missing, loaded by somebody else. One call at a time.
    [[nodiscard]] static std::unique_ptr<Library> load(const std::string& programDirectory, bool trusted);

    [[nodiscard]] const Api& api() const noexcept { return api_; }
    [[nodiscard]] const std::vector<std::string>& missingFunctions() const noexcept { return missing_; }

private:
    Library() = default;
    /// The address of an exported function, or nullptr.
    using Find = std::function<void*(const char* name)>;
    void resolve(const Find& findFunction, const std::string& file);
    /// The runtime is initialised once in a process. A library that is there before we load it is somebody else's to
    /// initialise, another copy of this package for example. `present` is its handle, or nullptr.
    static void requireOwn(const void* present, const std::string& file);
    /// Remembers what `load` has loaded, for a second try after the runtime did not start.
    static void own(const void* handle);

    Api api_{};
    std::vector<std::string> missing_;
};

/// Refuses a file that an ordinary user could have put there: it, or a directory above it, is writable by others than
/// root and the present user, on Windows by one of the groups that everybody belongs to. Throws Failure, with the
/// command that mends it.
void requireTrustedFile(const std::string& file);

/// Calls back when the process ends by itself, while the library is still usable. Nothing happens on Windows, where the
/// other threads are gone by then; there only the listener in JavaScript takes leave of Domino.
void callAtExit(void (*function)());

}  // namespace domino_vss::domino
