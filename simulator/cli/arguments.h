#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace domino_sim::cli {

/** A mistake in the command line. The text is for users. */
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/** Parses `--name value`, `--name=value` and `--flag`, before or after positional arguments. */
class Arguments {
public:
    /** `flags` take no value; other options must be listed in `options`. */
    Arguments(const std::vector<std::string>& words, const std::vector<std::string_view>& options,
              const std::vector<std::string_view>& flags);

    bool has(std::string_view name) const { return find(name).has_value(); }
    std::optional<std::string> find(std::string_view name) const;
    std::vector<std::string> all(std::string_view name) const;
    std::string require(std::string_view name) const;
    std::string text(std::string_view name, std::string_view fallback) const;
    double number(std::string_view name, double fallback) const;
    const std::vector<std::string>& plain() const { return plain_; }

private:
    std::multimap<std::string, std::string, std::less<>> options_;
    std::vector<std::string> plain_;
};

double parseNumber(const std::string& text);

}  // namespace domino_sim::cli
