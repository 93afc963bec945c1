// Changing, creating and deleting databases; the info buffer.

#include <cstring>

#include "api.h"
#include "create.h"
#include "lmbcs.h"
#include "remote.h"

using namespace domino_sim;

namespace {

enum InfoPart : std::uint16_t { kTitle = 0, kCategories = 1, kClass = 2, kDesignClass = 3 };

/** Title, categories, `#1` template, `#2` inherited template: one line each; the last two in any order. */
std::string infoPart(std::string_view info, std::uint16_t part) {
    for (std::uint16_t line = 0; !info.empty() || line == 0; ++line) {
        const auto end = std::min(info.find('\n'), info.size());
        const std::string_view text = info.substr(0, end);
        const bool isMarked = text.size() > 1 && text[0] == '#';
        const bool isWanted = isMarked ? (part == kClass && text[1] == '1') || (part == kDesignClass && text[1] == '2')
                                       : line == part && part <= kCategories;
        if (isWanted) {
            return std::string(isMarked ? text.substr(2) : text);
        }
        info.remove_prefix(std::min(end + 1, info.size()));
    }
    return {};
}

std::string infoWith(std::string_view info, std::uint16_t part, const std::string& text) {
    std::string parts[4];
    for (std::uint16_t i = 0; i < 4; ++i) {
        parts[i] = i == part ? text : infoPart(info, i);
    }
    std::string result = parts[kTitle];
    if (!parts[kCategories].empty() || !parts[kClass].empty() || !parts[kDesignClass].empty()) {
        result += "\n" + parts[kCategories];
    }
    if (!parts[kClass].empty()) {
        result += "\n#1" + parts[kClass];
    }
    if (!parts[kDesignClass].empty()) {
        result += "\n#2" + parts[kDesignClass];
    }
    return result.substr(0, kInfoBytes - 1);
}

std::string_view infoText(const char* info) {
    return {info, ::strnlen(info, kInfoBytes)};
}

}  // namespace

NOTES_API std::uint64_t NSFDbInfoSet(Handle hDb, const char* buffer) {
    return call("NSFDbInfoSet"_function, {hDb}, [&](Environment& environment) -> Status {
        const auto open = requireHandle(hDb);
        char info[kInfoBytes] = {};
        const std::string_view text = infoText(buffer);
        std::memcpy(info, text.data(), text.size());
        switch (open->kind) {
            case OpenKind::directory: return kNotNsf;
            case OpenKind::remote: remoteSetInfo(environment, open->remote, info); break;
            case OpenKind::database: setInfo(*open->database, info); break;
        }
        return kNoError;
    });
}

NOTES_API void NSFDbInfoParse(const char* info, std::uint16_t what, char* buffer, std::uint16_t length) {
    callFor("NSFDbInfoParse"_function, 0, [&](Environment&) {
        const std::string part = infoPart(infoText(info), what);
        const std::size_t size = std::min<std::size_t>(part.size(), length == 0 ? 0 : length - 1u);
        std::memcpy(buffer, part.data(), size);
        if (length != 0) {
            buffer[size] = 0;
        }
        return 0;
    });
}

NOTES_API void NSFDbInfoModify(char* info, std::uint16_t what, const char* buffer) {
    callFor("NSFDbInfoModify"_function, 0, [&](Environment&) {
        const std::string changed = infoWith(infoText(info), what, buffer);
        std::memset(info, 0, kInfoBytes);
        std::memcpy(info, changed.data(), changed.size());
        return 0;
    });
}

NOTES_API std::uint64_t NSFDbCreate(const char* pathName, std::uint16_t, int forceCreation) {
    return call("NSFDbCreate"_function, {0, pathName}, [&](Environment& environment) -> Status {
        const NetPath path = parseNetPath(pathArgument(environment, pathName));
        if (path.server.empty()) {
            createDatabase(environment, path.file, forceCreation != 0);
        } else {
            remoteCreate(environment, path, forceCreation != 0);
        }
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFDbDelete(const char* pathName) {
    return call("NSFDbDelete"_function, {0, pathName}, [&](Environment& environment) -> Status {
        const NetPath path = parseNetPath(pathArgument(environment, pathName));
        if (path.server.empty()) {
            deleteDatabase(environment, path.file);
        } else {
            remoteDelete(environment, path);
        }
        return kNoError;
    });
}
