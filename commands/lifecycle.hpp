// Which phase may follow which. The Tenant CRD enforces the same table with a CEL rule on the API server.
#pragma once

#include "commands/tenant.hpp"

namespace litedesk {

[[nodiscard]] bool may_follow(Phase from, Phase to);  // the same phase may always follow
// Throws Conflict: "acme is suspended and cannot become failed", with what it can become as the hint.
void check_transition(std::string_view slug, Phase from, Phase to);
// For stores that have no rules of their own: refuses an illegal transition, a changed slug, a phase removed, a
// tier that no tier can be called.
void validate_tenant_document(const store::Document* stored, const store::Document& wanted);

}  // namespace litedesk
