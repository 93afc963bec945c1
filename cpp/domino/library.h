#pragma once

#include <memory>
#include <string>
#include <vector>

#include "domino/c_api.h"

namespace domino_vss::domino {

/// The Domino runtime library, loaded from the program directory and from nowhere else. Never unloaded: it owns threads
/// and shared memory for the rest of the process.
class Library {
public:
    /// Throws Failure: not found, writable by ordinary users, a dependent library missing, wrong bitness, functions
    /// missing.
    [[nodiscard]] static std::unique_ptr<Library> load(const std::string& programDirectory);

    [[nodiscard]] const Api& api() const noexcept { return api_; }
    [[nodiscard]] const std::vector<std::string>& missingFunctions() const noexcept { return missing_; }

private:
    Library() = default;
    void resolve(void* handle, const std::string& file);

    Api api_{};
    std::vector<std::string> missing_;
};

/// Refuses a file that somebody other than root or the present user could have put there: it, or a directory above it,
/// is writable by others. Throws Failure.
void requireTrustedFile(const std::string& file);

}  // namespace domino_vss::domino
