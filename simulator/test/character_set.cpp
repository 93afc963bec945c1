// LMBCS: round trip of every character, paths with and without conversion, texts, network paths.
#include <cstdint>
#include <cstring>
#include <string>

#include "domino.h"
#include "harness.h"

namespace {

enum Mode : WORD {
    nativeToLmbcs = 0,
    lmbcsToNative = 1,
    lmbcsToUnicode = 20,
    lmbcsToUtf8 = 22,
    unicodeToLmbcs = 23,
    utf8ToLmbcs = 24
};

std::string translate(Mode mode, const std::string& in, WORD outSize = 1024) {
    std::string out(outSize, '#');
    out.resize(OSTranslate(mode, in.data(), static_cast<WORD>(in.size()), out.data(), outSize));
    return out;
}

std::string slashes(std::string path) {
    return withSlashes(path.data());
}

std::string unit(char16_t c) {
    return {reinterpret_cast<const char*>(&c), sizeof c};
}

void everyCharacter() {
    unsigned lost = 0;
    for (std::uint32_t c = 0; c <= 0xffff; ++c) {
        const std::string text = unit(static_cast<char16_t>(c));
        const std::string lmbcs = translate(unicodeToLmbcs, text);
        CHECK(lmbcs.size() <= 3);
        CHECK(c == 0 || lmbcs.find('\0') == std::string::npos);  // no NUL inside a string
        if (translate(lmbcsToUnicode, lmbcs) != text) {
            ++lost;
            CHECK(c > 0xF600 && c < 0xF700);  // 255 private-use characters that LMBCS cannot represent
        }
    }
    CHECK(lost == 255);
}

void knownBytes() {
    CHECK(translate(utf8ToLmbcs, "Büro") == "B\x81ro");  // code page 850, no prefix
    CHECK(translate(utf8ToLmbcs, "Ω") == std::string("\x02\xD5"));
    CHECK(translate(utf8ToLmbcs, "Я") == std::string("\x05\xDF"));
    CHECK(translate(utf8ToLmbcs, "日") == std::string("\x14\x65\xE5"));
    CHECK(translate(utf8ToLmbcs, "Ā") == std::string("\x14\xF6\x01"));  // U+0100: no zero byte
    CHECK(translate(lmbcsToUtf8, translate(utf8ToLmbcs, "a😀b")) == "a😀b");
    const std::string native = nativeIsUtf8() ? "Ärger" : "\xC4rger";
    CHECK(translate(nativeToLmbcs, native) == translate(utf8ToLmbcs, "Ärger"));
    CHECK(translate(lmbcsToNative, "\x01\x8E") ==
          native.substr(0, native.find('r')));                                // an explicit group prefix is valid too
    CHECK(translate(utf8ToLmbcs, "日日", 5) == std::string("\x14\x65\xE5"));  // cut between characters
    char out[16];
    CHECK(OSTranslate(utf8ToLmbcs, "abc", 0xffff, out, sizeof out) == 3);  // NUL-terminated input, unterminated output
    CHECK(translate(static_cast<Mode>(99), "abc").empty());
}

void paths() {
    DHANDLE db = 0;
    const std::string utf8 = "Büro/Ärger ñ.nsf";
    CHECK_STATUS(NSFDbOpen(utf8.c_str(), &db), 0x0103);  // the UTF-8 bytes name a different file
    CHECK_OK(NSFDbOpen(translate(utf8ToLmbcs, utf8).c_str(), &db));
    char canonical[4096];
    char expanded[4096];
    CHECK_OK(NSFDbPathGet(db, canonical, expanded));
    CHECK(slashes(translate(lmbcsToUtf8, canonical)) == utf8);
    CHECK(slashes(translate(lmbcsToUtf8, expanded)) == slashes(std::string(dataDirectory()) + "/" + utf8));
    CHECK_OK(NSFDbClose(db));
    for (const char* name : {"mail/Ελένη.nsf", "apps/Москва/план.nsf", "apps/日本.nsf"}) {
        CHECK_OK(NSFDbOpen(translate(utf8ToLmbcs, name).c_str(), &db));
        CHECK_OK(NSFDbClose(db));
    }
    CHECK_STATUS(NSFDbOpen(std::string(300, 'x').c_str(), &db), 0x0113);
}

void texts() {
    char text[128];
    CHECK(OSLoadString(nullptr, 0x0EA4, text, sizeof text) > 0);
    CHECK(OSLoadString(nullptr, 0x0EA4 | 0x8000, text, sizeof text) == 0);  // the caller masks first
    CHECK(OSLoadString(nullptr, 0x0001, text, sizeof text) == 0);
    const WORD length = OSLoadString(nullptr, 0x3810, text, sizeof text);
    CHECK(translate(lmbcsToUtf8, std::string(text, length)).find("“backup time-out”") != std::string::npos);
    CHECK(OSLoadString(nullptr, 0x0EA4, text, 5) == 4 && std::strlen(text) == 4);
}

void networkPaths() {
    char path[256];
    char port[256];
    char server[256];
    char file[256];
    CHECK_OK(OSPathNetConstruct(nullptr, "Sim/Test", "mail\\a.nsf", path));
    CHECK(std::string(path) == "Sim/Test!!mail\\a.nsf");
    CHECK_OK(OSPathNetConstruct(nullptr, "", "a.nsf", path));
    CHECK(std::string(path) == "a.nsf");
    CHECK_OK(OSPathNetParse("TCPIP!Sim/Test!!a.nsf", port, server, file));
    CHECK(std::string(port) == "TCPIP" && std::string(server) == "Sim/Test" && std::string(file) == "a.nsf");
}

}  // namespace

int main() {
    simulationCreate("--databases 24");
    simulationInit();
    everyCharacter();
    knownBytes();
    paths();
    texts();
    networkPaths();
    NotesTerm();
    simulationDestroy();
    return 0;
}
