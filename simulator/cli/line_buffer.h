#pragma once

#include <string>
#include <string_view>

namespace domino_sim::cli {

/** Extracts complete lines from the data read so far. */
class LineBuffer {
public:
    void append(std::string_view piece) { text_.append(piece); }

    bool next(std::string& line) {
        const auto end = text_.find('\n');
        if (end == std::string::npos) {
            return false;
        }
        line = text_.substr(0, end);
        text_.erase(0, end + 1);
        if (line.ends_with('\r')) {
            line.pop_back();
        }
        return true;
    }

private:
    std::string text_;
};

}  // namespace domino_sim::cli
