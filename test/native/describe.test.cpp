// What is said of a STATUS, whatever becomes of its text.

#include <cstring>
#include <string>
#include <string_view>

#include "check.h"
#include "domino/runtime.h"
#include "domino/status.h"

namespace {

using namespace domino_vss;

/// A runtime that has this text for every status, and refuses to convert anything or does.
constexpr std::string_view kText = "\x8F\xC4\xB0";  // outside of ASCII, in some code page

domino::WORD loadString(domino::HMODULE /*module*/, domino::STATUS /*code*/, char* buffer, domino::WORD /*length*/) {
    std::memcpy(buffer, kText.data(), kText.size());
    return static_cast<domino::WORD>(kText.size());
}
domino::WORD refuse(domino::WORD /*mode*/, const char* /*in*/, domino::WORD /*inLength*/, char* /*out*/,
                    domino::WORD /*outLength*/) {
    return 0;
}
domino::WORD convert(domino::WORD /*mode*/, const char* /*in*/, domino::WORD /*inLength*/, char* out,
                     domino::WORD /*outLength*/) {
    std::memcpy(out, "ab", 2);
    return 2;
}

Failure described(decltype(domino::Api::OSTranslate) translate) {
    domino::Api api{};
    api.OSLoadString = loadString;
    api.OSTranslate = translate;
    return domino::describe(api, domino::callStatus(0x0EA5, "NSFBackupStop"), Phase::stop, "mail/a.nsf");
}

void saysDominosText() {
    CHECK(described(convert).text == "ab");
}

void saysTheStatusWhenItsTextCannotBeConverted() {
    const Failure failure = described(refuse);
    CHECK(failure.code == std::string(code::kDominoCall));
    CHECK(failure.status == 0x0EA5 && failure.domain == Domain::domino);
    CHECK(failure.statusName == domino::statusName(0x0EA5) && !failure.statusName.empty());
    CHECK(failure.operation == "NSFBackupStop" && failure.subject == "mail/a.nsf" && failure.phase == Phase::stop);
    CHECK(!failure.text.empty());
}

}  // namespace

int main() {
    return check::run({
        {"a status is told in Domino's words", saysDominosText},
        {"a status is told when its text cannot be converted", saysTheStatusWhenItsTextCannotBeConverted},
    });
}
