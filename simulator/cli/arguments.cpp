#include "arguments.h"

#include <algorithm>
#include <charconv>

namespace domino_sim::cli {

double parseNumber(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw UsageError("not a number: " + text);
    }
    return value;
}

Arguments::Arguments(const std::vector<std::string>& words, const std::vector<std::string_view>& options,
                     const std::vector<std::string_view>& flags) {
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (!words[i].starts_with("--")) {
            plain_.push_back(words[i]);
            continue;
        }
        const auto equals = words[i].find('=');
        const std::string name = words[i].substr(2, equals == std::string::npos ? equals : equals - 2);
        if (std::ranges::find(flags, name) != flags.end()) {
            options_.emplace(name, "");
        } else if (std::ranges::find(options, name) == options.end()) {
            throw UsageError("unknown option --" + name);
        } else if (equals != std::string::npos) {
            options_.emplace(name, words[i].substr(equals + 1));
        } else if (++i < words.size()) {
            options_.emplace(name, words[i]);
        } else {
            throw UsageError("--" + name + " needs a value");
        }
    }
}

std::optional<std::string> Arguments::find(std::string_view name) const {
    const auto found = options_.find(name);
    return found == options_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> Arguments::all(std::string_view name) const {
    std::vector<std::string> result;
    const auto [begin, end] = options_.equal_range(name);
    std::transform(begin, end, std::back_inserter(result), [](const auto& option) { return option.second; });
    return result;
}

std::string Arguments::require(std::string_view name) const {
    const auto value = find(name);
    if (!value) {
        throw UsageError("--" + std::string(name) + " is missing");
    }
    return *value;
}

std::string Arguments::text(std::string_view name, std::string_view fallback) const {
    return find(name).value_or(std::string(fallback));
}

double Arguments::number(std::string_view name, double fallback) const {
    const auto value = find(name);
    return value ? parseNumber(*value) : fallback;
}

}  // namespace domino_sim::cli
