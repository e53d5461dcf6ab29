internal import ArgumentParser

struct Backbones: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The registry of NATS backbones.",
        discussion: """
            meshlog backbones
            meshlog backbones set 01975c1e-5d3a-7cc3-98c4-dc0c0c07398f backbone.json
            """,
        subcommands: [
            DocumentList<BackboneNoun>.self, DocumentGet<BackboneNoun>.self, DocumentSet<BackboneNoun>.self, DocumentPatch<BackboneNoun>.self,
            DocumentDelete<BackboneNoun>.self, DocumentHistory<BackboneNoun>.self,
        ], defaultSubcommand: DocumentList<BackboneNoun>.self)
}

struct Topics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Topic groups: the topics a subject works with, and their organisation.",
        discussion: """
            meshlog topics
            echo '{"topic_ids": ["tasks.plan", "tasks.review"], "org_id": "acme"}' | meshlog topics set planner -
            """,
        subcommands: [
            DocumentList<TopicsNoun>.self, DocumentGet<TopicsNoun>.self, DocumentSet<TopicsNoun>.self, DocumentPatch<TopicsNoun>.self,
            DocumentDelete<TopicsNoun>.self, DocumentHistory<TopicsNoun>.self,
        ], defaultSubcommand: DocumentList<TopicsNoun>.self)
}

struct Constraints: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Constraints: what may be said to whom.",
        discussion: """
            meshlog constraints
            meshlog constraints set no-secrets constraint.json
            meshlog constraints apply examples/policy.yaml
            meshlog constraints lint examples/policy.yaml
            meshlog constraints test examples/policy.test.yaml
            """,
        subcommands: [
            ConstraintLintCommand.self, ConstraintTestCommand.self, ConstraintApply.self,
            DocumentList<ConstraintNoun>.self, DocumentGet<ConstraintNoun>.self, DocumentSet<ConstraintNoun>.self, DocumentPatch<ConstraintNoun>.self,
            DocumentDelete<ConstraintNoun>.self, DocumentHistory<ConstraintNoun>.self,
        ], defaultSubcommand: DocumentList<ConstraintNoun>.self)
}

struct Templates: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Templates: what the payloads of a topic must be.",
        discussion: """
            meshlog templates
            meshlog templates set orders-v1 template.json
            meshlog templates backtest template.json --since 30d
            """,
        subcommands: [
            TemplateBacktestCommand.self,
            DocumentList<TemplateNoun>.self, DocumentGet<TemplateNoun>.self, DocumentSet<TemplateNoun>.self, DocumentPatch<TemplateNoun>.self,
            DocumentDelete<TemplateNoun>.self, DocumentHistory<TemplateNoun>.self,
        ], defaultSubcommand: DocumentList<TemplateNoun>.self)
}
