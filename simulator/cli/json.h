#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace domino_sim::cli {

/** Writes a JSON object or array, member by member. */
class Json {
public:
    static Json object() { return Json('{', '}'); }
    static Json array() { return Json('[', ']'); }

    Json& add(std::string_view name, const Json& value) { return member(name, value.text()); }
    Json& add(std::string_view name, std::string_view value) { return member(name, quoted(value)); }
    Json& add(std::string_view name, const char* value) { return member(name, quoted(value)); }
    Json& add(std::string_view name, bool value) { return member(name, value ? "true" : "false"); }
    template <std::integral Number>
    Json& add(std::string_view name, Number value) {
        return member(name, std::to_string(value));
    }

    /** `value` is already JSON. */
    Json& addJson(std::string_view name, const std::string& value) { return member(name, value); }

    Json& append(const Json& value) { return element(value.text()); }
    Json& append(std::string_view value) { return element(quoted(value)); }

    std::string text() const { return body_ + close_; }

private:
    Json(char open, char close) : body_(1, open), close_(close) {}

    Json& member(std::string_view name, const std::string& value) { return element(quoted(name) + ":" + value); }
    Json& element(const std::string& value);
    static std::string quoted(std::string_view value);

    std::string body_;
    char close_;
};

}  // namespace domino_sim::cli
