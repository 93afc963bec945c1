#include "json.h"

#include <cstdio>

namespace domino_sim::cli {

Json& Json::element(const std::string& value) {
    if (body_.size() > 1) {
        body_ += ',';
    }
    body_ += value;
    return *this;
}

std::string Json::quoted(std::string_view value) {
    std::string result = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char text[8];
            std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(c));
            result += text;
        } else {
            result += c;
        }
    }
    return result + '"';
}

}  // namespace domino_sim::cli
