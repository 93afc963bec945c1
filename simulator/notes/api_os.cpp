// Texts, paths, settings, character sets and memory.

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "api.h"
#include "lmbcs.h"
#include "utf8_path.h"

using namespace domino_sim;

namespace {

constexpr std::uint16_t kMaxWord = 0xffff;

/** `0103<TAB>text` lines in LMBCS, as the build writes them to the program directory. */
std::map<Status, std::string> readTexts(const std::string& programDirectory) {
    std::map<Status, std::string> texts;
    std::ifstream stream(pathOf(programDirectory) / "res/C/strings.lmb", std::ios::binary);
    for (std::string line; std::getline(stream, line);) {
        const auto tab = line.find('\t');
        if (tab != std::string::npos) {
            texts.emplace(static_cast<Status>(std::strtoul(line.c_str(), nullptr, 16)), line.substr(tab + 1));
        }
    }
    return texts;
}

/** Truncates at `limit` bytes. The result fits a WORD. */
std::uint16_t storeBytes(char* buffer, std::size_t limit, std::string_view bytes) {
    const std::size_t length = std::min({bytes.size(), limit, static_cast<std::size_t>(kMaxWord)});
    std::memcpy(buffer, bytes.data(), length);
    return static_cast<std::uint16_t>(length);
}

enum TranslateMode : std::uint16_t {
    kNativeToLmbcs = 0,
    kLmbcsToNative = 1,
    kLmbcsToUnicode = 20,
    kLmbcsToUtf8 = 22,
    kUnicodeToLmbcs = 23,
    kUtf8ToLmbcs = 24,
};

std::u16string utf16At(const char* bytes, std::size_t length) {
    std::u16string text(length / 2, u'\0');
    std::memcpy(text.data(), bytes, text.size() * 2);
    return text;
}

std::size_t utf16LengthBytes(const char* bytes) {
    std::size_t length = 0;
    while (bytes[length] != 0 || bytes[length + 1] != 0) {
        length += 2;
    }
    return length;
}

/** Converts the input of any mode to UTF-16. */
std::u16string inputOf(std::uint16_t mode, const char* in, std::uint16_t inLength) {
    const bool isTerminated = inLength == kMaxWord;
    if (mode == kUnicodeToLmbcs) {
        return utf16At(in, isTerminated ? utf16LengthBytes(in) : inLength);
    }
    const std::string_view bytes(in, isTerminated ? std::strlen(in) : inLength);
    switch (mode) {
        case kNativeToLmbcs: return platform::utf16FromNative(bytes);
        case kUtf8ToLmbcs: return lmbcs::utf16FromUtf8(bytes);
        default: return lmbcs::toUtf16(bytes);
    }
}

std::string outputOf(std::uint16_t mode, std::u16string_view text) {
    switch (mode) {
        case kLmbcsToUnicode: return {reinterpret_cast<const char*>(text.data()), text.size() * 2};
        case kLmbcsToNative: return platform::nativeFromUtf16(text);
        case kLmbcsToUtf8: return lmbcs::utf8FromUtf16(text);
        default: return lmbcs::fromUtf16(text);
    }
}

bool isKnownMode(std::uint16_t mode) {
    switch (mode) {
        case kNativeToLmbcs:
        case kLmbcsToNative:
        case kLmbcsToUnicode:
        case kLmbcsToUtf8:
        case kUnicodeToLmbcs:
        case kUtf8ToLmbcs: return true;
        default: return false;
    }
}

/** As much of the text as fits, in complete characters. */
std::string fitted(std::uint16_t mode, std::u16string_view text, std::size_t limit) {
    std::string whole = outputOf(mode, text);
    if (whole.size() <= limit) {
        return whole;
    }
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
        const bool isPair = text[at] >= 0xD800 && text[at] < 0xDC00 && at + 1 < text.size();
        const std::string piece = outputOf(mode, text.substr(at, isPair ? 2 : 1));
        if (result.size() + piece.size() > limit) {
            break;
        }
        result += piece;
        at += isPair ? 2 : 1;
    }
    return result;
}

}  // namespace

NOTES_API std::uint64_t OSLoadString(void*, Status code, char* retBuffer, std::uint16_t bufferLength) {
    return withNoise(callFor<std::uint16_t>("OSLoadString"_function, 0, [&](Environment& environment) -> std::uint16_t {
        static const auto texts = readTexts(environment.programDirectory);
        const auto found = texts.find(code);
        if (bufferLength == 0) {
            return 0;
        }
        const std::uint16_t length =
            found == texts.end() ? std::uint16_t{0} : storeBytes(retBuffer, bufferLength - 1u, found->second);
        retBuffer[length] = 0;
        return length;
    }));
}

NOTES_API std::uint64_t OSPathNetConstruct(const char* port, const char* server, const char* file, char* retPath) {
    return call("OSPathNetConstruct"_function, {}, [&](Environment& environment) -> Status {
        const auto text = [](const char* argument) { return std::string(argument == nullptr ? "" : argument); };
        const std::string path = constructNetPath({text(port), text(server), text(file)});
        const auto limit = static_cast<std::size_t>(environment["SIM_MAX_PATH"_setting]) - 1;
        retPath[storeBytes(retPath, limit, path)] = 0;
        return kNoError;
    });
}

NOTES_API std::uint64_t OSPathNetParse(const char* pathName, char* retPort, char* retServer, char* retFile) {
    return call("OSPathNetParse"_function, {}, [&](Environment& environment) -> Status {
        const NetPath path = parseNetPath(pathName == nullptr ? "" : pathName);
        const auto limit = static_cast<std::size_t>(environment["SIM_MAX_PATH"_setting]) - 1;
        const std::pair<char*, const std::string&> parts[] = {
            {retPort, path.port}, {retServer, path.server}, {retFile, path.file}};
        for (const auto& [target, part] : parts) {
            if (target != nullptr) {
                target[storeBytes(target, limit, part)] = 0;
            }
        }
        return kNoError;
    });
}

NOTES_API std::uint64_t OSGetDataDirectory(char* retPathName) {
    return withNoise(
        callFor<std::uint16_t>("OSGetDataDirectory"_function, 0, [&](Environment& environment) -> std::uint16_t {
            storePath(environment, retPathName, environment.dataDirectory);
            return static_cast<std::uint16_t>(std::strlen(retPathName));
        }));
}

NOTES_API void OSGetExecutableDirectory(char* retPathName) {
    callFor("OSGetExecutableDirectory"_function, 0, [&](Environment& environment) {
        storePath(environment, retPathName, environment.programDirectory);
        return 0;
    });
}

NOTES_API int OSGetEnvironmentString(const char* name, char* retValue, std::uint16_t bufferLength) {
    return callFor("OSGetEnvironmentString"_function, 0, [&](Environment& environment) {
        const auto value = environment.ini.find(name);
        // The documented length is the size of the buffer minus one.
        retValue[storeBytes(retValue, bufferLength, lmbcs::fromUtf8(value.value_or("")))] = 0;
        return value ? 1 : 0;
    });
}

NOTES_API long OSGetEnvironmentLong(const char* name) {
    return callFor("OSGetEnvironmentLong"_function, 0L, [&](Environment& environment) {
        return std::strtol(environment.ini.find(name).value_or("0").c_str(), nullptr, 10);
    });
}

NOTES_API std::uint64_t OSTranslate(std::uint16_t mode, const char* in, std::uint16_t inLength, char* out,
                                    std::uint16_t outLength) {
    return withNoise(callFor<std::uint16_t>("OSTranslate"_function, 0, [&](Environment&) -> std::uint16_t {
        return isKnownMode(mode) ? storeBytes(out, outLength, fitted(mode, inputOf(mode, in, inLength), outLength))
                                 : std::uint16_t{0};
    }));
}

NOTES_API std::uint64_t OSMemAlloc(std::uint16_t, std::uint32_t sizeBytes, Handle* retHandle) {
    return call("OSMemAlloc"_function, {}, [&](Environment&) -> Status {
        auto block = std::make_shared<MemoryBlock>();
        block->bytes.resize(sizeBytes);
        *retHandle = Runtime::get().memory.add(std::move(block));
        return kNoError;
    });
}

NOTES_API std::uint64_t OSMemFree(Handle handle) {
    return call("OSMemFree"_function, {}, [&](Environment& environment) -> Status {
        if (Runtime::get().memory.remove(handle) == nullptr) {
            environment.partition->accounting().unknownHandles.fetch_add(1);
            return kNotInitialised;
        }
        return kNoError;
    });
}

NOTES_API void* OSLockObject(Handle handle) {
    return callFor<void*>("OSLockObject"_function, nullptr, [&](Environment& environment) -> void* {
        const auto block = Runtime::get().memory.find(handle);
        if (block == nullptr) {
            environment.partition->accounting().unknownHandles.fetch_add(1);
            return nullptr;
        }
        block->locks.fetch_add(1);
        return block->bytes.data();
    });
}

NOTES_API int OSUnlockObject(Handle handle) {
    return callFor("OSUnlockObject"_function, 0, [&](Environment&) {
        const auto block = Runtime::get().memory.find(handle);
        return block != nullptr && block->locks.fetch_sub(1) > 0 ? 1 : 0;
    });
}
