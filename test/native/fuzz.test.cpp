// Foreign bytes in what C++ reads by itself: names and links in a data directory, ids, texts of Domino. Inputs are
// random and such as are nearly right; FUZZ_RUNS says how many for each parser, FUZZ_SEED which ones.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "domino/catalog.h"
#include "domino/lmbcs.h"
#include "shadow/vss/guid.h"
#include "shadow/vss/writer_selection.h"
#include "system/utf8.h"

namespace {

using namespace domino_vss;
namespace fs = std::filesystem;

std::size_t setting(const char* name, std::size_t otherwise) {
    const char* const text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::size_t runs() {
    return setting("FUZZ_RUNS", 300);
}

class Random {
public:
    explicit Random(std::string_view parser)
        : engine_(static_cast<std::mt19937_64::result_type>(setting("FUZZ_SEED", 20261127) + parser.size())) {}

    std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(engine_); }
    bool once(std::size_t in) { return below(in) == 0; }

    std::string bytes(std::size_t longest) {
        std::string text(below(longest + 1), '\0');
        for (char& c : text) c = static_cast<char>(below(256));
        return text;
    }
    /// One of them, often spoilt: bytes changed, left out, or put in.
    template <typename Samples>
    std::string near(const Samples& samples) {
        std::string text(samples[below(std::size(samples))]);
        for (std::size_t changes = below(4); changes > 0; --changes) {
            const std::size_t at = below(text.size() + 1);
            switch (below(3)) {
                case 0: text.insert(at, bytes(3)); break;
                case 1: text.erase(at, below(4)); break;
                default:
                    if (at < text.size()) text[at] = static_cast<char>(below(256));
            }
        }
        return text;
    }

private:
    std::mt19937_64 engine_;
};

/// By the definition of UTF-8, code point by code point.
bool isUtf8ByDefinition(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
        const unsigned lead = byte(i);
        const std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
        if (length == 0) return false;
        std::uint32_t point = length == 1 ? lead : lead & (0xFFU >> (length + 1));
        for (std::size_t k = 1; k < length; ++k) {
            if (byte(i + k) >> 6 != 2) return false;
            point = (point << 6) | (byte(i + k) & 0x3F);
        }
        constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
        if (point < kSmallest[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
        i += length;
    }
    return true;
}

void utf8() {
    Random random("utf8");
    constexpr std::array<std::string_view, 6> kSamples{"mail/ada.nsf",     "\xC3\xA9t\xC3\xA9.nsf", "\xE2\x82\xAC",
                                                       "\xF0\x9F\x93\xA7", "\xED\xA0\x80",          "\xC0\xAF"};
    std::size_t valid = 0;
    for (std::size_t run = 0; run < runs() * 20; ++run) {
        const std::string text = random.once(3) ? random.bytes(12) : random.near(kSamples);
        CHECK(isUtf8(text) == isUtf8ByDefinition(text));
        valid += isUtf8(text) ? 1U : 0U;
        const std::string escaped = escapeBeyondAscii(text);
        CHECK(std::ranges::all_of(escaped, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
    }
    CHECK(valid > runs());
}

void ids() {
    Random random("ids");
    constexpr std::array<std::string_view, 2> kSamples{"{e8132975-6f93-4464-a53e-1050253ae220}",
                                                       "A65FAA63-5EA8-4EBC-9DBD-A0C4DB26912A"};
    std::size_t accepted = 0;
    for (std::size_t run = 0; run < runs() * 20; ++run) {
        const std::string text = random.once(4) ? random.bytes(40) : random.near(kSamples);
        const std::optional<vss::Guid> guid = vss::parseGuid(text);
        if (!guid || *guid == vss::Guid{}) continue;
        ++accepted;
        std::string plain = vss::formatGuid(*guid);
        CHECK(vss::parseGuid(plain) == guid);
        // Nothing but the braces and the case may differ.
        std::string lower = text;
        std::ranges::transform(lower, lower.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (lower.front() != '{') plain = plain.substr(1, plain.size() - 2);
        CHECK(lower == plain);
    }
    CHECK(accepted > runs());
}

std::size_t translated = 0;

/// Domino's part: any length up to the room there is, and any bytes.
domino::WORD translateAnyhow(domino::WORD /*mode*/, const char* text, domino::WORD length, char* out,
                             domino::WORD room) {
    ++translated;
    if (length > 0 && text[0] == '!') return 0;
    const std::size_t wanted = std::min<std::size_t>(room, std::size_t{length} * 4);
    for (std::size_t i = 0; i < wanted; ++i) out[i] = static_cast<char>(i * 31);
    return static_cast<domino::WORD>(wanted);
}

void textsOfDomino() {
    Random random("texts of Domino");
    domino::Api api{};
    api.OSTranslate = translateAnyhow;
    for (std::size_t run = 0; run < runs() * 4; ++run) {
        // Also longer than a WORD can say.
        const std::string text = random.once(10) ? std::string(random.below(70'000), '\x81') : random.bytes(300);
        try {
            const std::string out = random.once(2) ? domino::toLmbcs(api, text) : domino::fromLmbcs(api, text);
            CHECK(out.size() <= text.size() * 4 + 16);
        } catch (const Failure& failure) {
            CHECK(failure.operation == "OSTranslate" && failure.subject.size() <= 80);
        }
    }
    CHECK(translated > runs());
}

void names() {
    Random random("names of writers");
    constexpr std::array<std::string_view, 6> kSamples{"System Writer",
                                                       R"(SqlServerWriter:\SRV\sales)",
                                                       "{e8132975-6f93-4464-a53e-1050253ae220}",
                                                       R"(HCL Domino Writer:\Data)",
                                                       ":\\",
                                                       R"(Writer:\\\)"};
    for (std::size_t run = 0; run < runs() * 4; ++run) {
        vss::Writer writer;
        writer.id = *vss::parseGuid("{e8132975-6f93-4464-a53e-1050253ae220}");
        writer.name = random.near(kSamples);
        vss::WriterComponent component;
        component.logicalPath = random.near(kSamples);
        component.name = random.bytes(8);
        component.selectable = random.once(2);
        writer.metadata = std::make_shared<const vss::WriterMetadata>(vss::WriterMetadata{{component}, {}, {}});
        std::vector<vss::Writer> writers{writer};
        vss::WriterRules rules;
        rules.exclude = {random.near(kSamples), random.bytes(20)};
        rules.verify = {random.near(kSamples), ""};
        rules.componentMode = random.once(2);
        rules.inSet = [](const std::string&) { return true; };
        vss::excludeWriters(writers, rules);
        if (rules.componentMode) vss::selectComponents(writers, rules);
        // Each rule is met, or told: none is lost.
        for (const std::string& unmet : vss::unmetVerify(writers, rules))
            CHECK(std::ranges::count(rules.verify, unmet) > 0);
        for (const std::string& unknown : vss::unknownExclusions(writers, rules))
            CHECK(std::ranges::count(rules.exclude, unknown) > 0);
        static_cast<void>(vss::componentExclusions(rules));
    }
}

/// A data directory of names and links that lead anywhere.
class DataDirectory {
public:
    explicit DataDirectory(Random& random) : random_(random) {
        const std::string place = (fs::temp_directory_path() / "domino-vss-fuzz-XXXXXX").string();
        std::vector<char> name(place.begin(), place.end());
        name.push_back('\0');
        CHECK(::mkdtemp(name.data()) != nullptr);
        root_ = name.data();
        fs::create_directories(root_ / "data");
        directories_.push_back(root_ / "data");
        for (std::size_t i = random_.below(20) + 5; i > 0; --i) add();
    }
    DataDirectory(const DataDirectory&) = delete;
    DataDirectory& operator=(const DataDirectory&) = delete;
    ~DataDirectory() { fs::remove_all(root_); }

    [[nodiscard]] std::string path() const { return (root_ / "data").string(); }

private:
    static constexpr std::array<std::string_view, 8> kEndings{".nsf", ".NTF", ".box",     ".dir",
                                                              ".ft",  "",     ".nsf.dir", "."};

    void add() {
        const fs::path& directory = directories_[random_.below(directories_.size())];
        std::string name =
            random_.once(3) ? random_.bytes(6) : std::string(1, static_cast<char>('a' + random_.below(6)));
        std::erase_if(name, [](char c) { return c == '/' || c == '\0'; });
        name += kEndings[random_.below(kEndings.size())];
        if (name.empty() || name == "." || name == "..") return;
        const fs::path path = directory / name;
        std::error_code exists;
        if (fs::symlink_status(path, exists).type() != fs::file_type::not_found) return;
        switch (random_.below(5)) {
            case 0:
                fs::create_directory(path);
                directories_.push_back(path);
                break;
            case 1: fs::create_symlink(target(), path); break;
            case 2: write(path, std::string("\x1A\x00", 2) + random_.bytes(40)); break;
            case 3: write(path, target() + (random_.once(2) ? "\r\n" + random_.bytes(10) : "")); break;
            default: write(path, random_.once(8) ? std::string(5'000, '/') : spoiltTarget());
        }
        places_.push_back(path.string());
    }

    std::string target() {
        if (random_.once(4) || places_.empty()) return random_.once(2) ? path() : "/proc/self";
        return places_[random_.below(places_.size())];
    }

    /// Never one that leads out of here: a link to the root would be followed through the whole machine.
    std::string spoiltTarget() {
        std::string text = random_.near(std::array{target()});
        const bool leadsOut = !text.starts_with(root_.string() + "/") || text.find("..") != std::string::npos;
        return leadsOut ? path() : text;
    }

    static void write(const fs::path& path, const std::string& text) {
        std::ofstream(path, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
    }

    Random& random_;
    fs::path root_;
    std::vector<fs::path> directories_;
    std::vector<std::string> places_;
};

void dataDirectories() {
    Random random("data directories");
    std::size_t found = 0;
    std::size_t aliases = 0;
    for (std::size_t run = 0; run < runs(); ++run) {
        const DataDirectory data(random);
        const domino::Catalog catalog = domino::findDatabases(data.path(), {});
        std::set<std::string> names;
        std::set<std::string> files;
        for (const domino::CatalogEntry& entry : catalog.entries) {
            CHECK(names.insert(entry.path).second);
            CHECK(files.insert(entry.fileId).second);  // no file twice, by whatever way it is reached
            CHECK(isUtf8(entry.path) && entry.volume < catalog.volumes.size());
            std::array<char, 2> head{};
            std::ifstream(entry.file, std::ios::binary).read(head.data(), head.size());
            CHECK(head[0] == '\x1A' && head[1] == '\0');
        }
        for (const domino::CatalogAlias& alias : catalog.aliases)
            CHECK(isUtf8(alias.alias) &&
                  (alias.path.empty() || alias.path.ends_with('/') || names.contains(alias.path)));
        found += catalog.entries.size();
        aliases += catalog.aliases.size();
    }
    CHECK(found > runs() / 2 && aliases > 0);
}

}  // namespace

int main() {
    return check::run({
        {"UTF-8", utf8},
        {"ids", ids},
        {"texts of Domino", textsOfDomino},
        {"names of writers and components", names},
        {"data directories", dataDirectories},
    });
}
