#include "domino/lmbcs.h"

#include <algorithm>
#include <vector>

#include "system/failure.h"

namespace domino_vss::domino {

namespace {

/// Control characters introduce LMBCS groups, so only printable ASCII is identical.
bool isPlain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
}

[[noreturn]] void refuse(std::string_view text, const char* reason) {
    Failure failure(code::kUnsupported, Phase::runtime, reason, std::string(text.substr(0, 80)));
    failure.operation = "OSTranslate";
    throw failure;
}

std::string translate(const Api& api, WORD mode, std::string_view text) {
    if (isPlain(text)) return std::string(text);
    // One character needs at most three bytes in LMBCS and four in UTF-8.
    std::vector<char> out(text.size() * 4 + 16);
    if (out.size() > kMaxWord) refuse(text, "the text is too long");
    const WORD length =
        api.OSTranslate(mode, text.data(), static_cast<WORD>(text.size()), out.data(), static_cast<WORD>(out.size()));
    // An empty name would mean the data directory itself.
    if (length == 0) refuse(text, "Domino cannot convert this text");
    return {out.data(), length};
}

}  // namespace

std::string toLmbcs(const Api& api, std::string_view utf8) {
    return translate(api, kTranslateUtf8ToLmbcs, utf8);
}

std::string fromLmbcs(const Api& api, std::string_view lmbcs) {
    return translate(api, kTranslateLmbcsToUtf8, lmbcs);
}

}  // namespace domino_vss::domino
