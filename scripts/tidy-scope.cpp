// SPDX-License-Identifier: MIT
//
// A plug-in of clang-tidy that keeps its checks away from system headers.
//
// Up to LLVM 21, clang-tidy matches every check against the whole translation unit and then drops
// findings in system headers, which takes most of the time. With this plug-in the checks only see
// declarations of the project. Later versions do this on their own.

#include <clang/AST/ASTConsumer.h>
#include <clang/AST/ASTContext.h>
#include <clang/Basic/SourceManager.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/FrontendPluginRegistry.h>

#include <memory>
#include <string>
#include <vector>

namespace
{

class ScopeConsumer : public clang::ASTConsumer
{
public:
	void HandleTranslationUnit(clang::ASTContext &context) override
	{
		const auto &sources = context.getSourceManager();
		std::vector<clang::Decl *> ours;
		for (auto *decl : context.getTranslationUnitDecl()->decls()) {
			const auto where = sources.getExpansionLoc(decl->getLocation());
			if (where.isValid() && !sources.isInSystemHeader(where))
				ours.push_back(decl);
		}
		context.setTraversalScope(ours);
	}
};

class ScopeAction : public clang::PluginASTAction
{
protected:
	std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance &,
							      llvm::StringRef) override
	{
		return std::make_unique<ScopeConsumer>();
	}

	bool ParseArgs(const clang::CompilerInstance &, const std::vector<std::string> &) override
	{
		return true;
	}

	// Run before clang-tidy's own consumer.
	ActionType getActionType() override { return AddBeforeMainAction; }
};

const clang::FrontendPluginRegistry::Add<ScopeAction> registration("npu-scope",
								   "leave out system headers");

} // namespace
