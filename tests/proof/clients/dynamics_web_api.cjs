// dynamics-web-api makes every call it has that needs no column of files.
const {createRequire} = require("node:module");
const [home, said] = process.argv.slice(2);
const {DynamicsWebApi} = createRequire(`${home}/`)("dynamics-web-api");
const told = JSON.parse(said);
const api = new DynamicsWebApi({serverUrl: told.url, dataApi: {version: "9.2"}, onTokenRefresh: async () => told.token});
const got = {};
const refused = async (call) => call.then(() => "none", (error) => error.status);
const names = (answer) => answer.value.map((row) => row.name);
const one = (key, more = {}) => ({collection: "accounts", key, ...more});

const read = async () => {
  const few = {collection: "accounts", select: ["name"], maxPageSize: 2, orderBy: ["statecode desc", "name"]};
  const first = await api.retrieveMultiple(few);
  const second = await api.retrieveMultiple(few, first.oDataNextLink);
  got.paged = [...names(first), ...names(second)];
  got.all = names(await api.retrieveAll(few));
  const tracked = await api.retrieveAll({collection: "accounts", select: ["name"], trackChanges: true});
  got.tracked = tracked.oDataDeltaLink.includes("$deltatoken");
  got.count = [await api.count({collection: "accounts"}), await api.count({collection: "accounts", filter: "statecode eq 0"}),
    await api.countAll({collection: "accounts"})];
  const expand = [{property: "parentaccountid", select: ["name"]}, {property: "contact_customer_accounts", select: ["fullname"]}];
  const row = await api.retrieve(one(told.child, {select: ["name"], expand, includeAnnotations: "*"}));
  got.expanded = [row.parentaccountid.name, row.contact_customer_accounts];
  got.parent = (await api.retrieve(one(told.child, {navigationProperty: "parentaccountid", select: ["name"]}))).name;
  got.unchanged = await api.retrieve(one(told.child, {ifnonematch: row["@odata.etag"]})) ?? "nothing sent";
  got.in = names(await api.retrieveMultiple({collection: "accounts", select: ["name"],
    filter: "Microsoft.Dynamics.CRM.In(PropertyName='accountnumber',PropertyValues=['A-1','A-4'])"}));
  got.who = Boolean((await api.callFunction("WhoAmI")).UserId);
};

const write = async () => {
  const made = await api.create({collection: "accounts", data: {name: "New"}, returnRepresentation: true});
  const key = made.accountid;
  got.bare = await api.create({collection: "contacts", data: {lastname: "Bare"}});
  await api.update(one(key, {data: {telephone1: "1"}}));
  got.stale = await api.update(one(key, {data: {telephone1: "2"}, ifmatch: 'W/"1"'}));
  got.upserted = (await api.upsert(one(key, {data: {telephone1: "3"}, returnRepresentation: true}))).telephone1;
  got.there = await api.upsert(one(key, {data: {telephone1: "4"}, ifnonematch: "*"}));
  await api.updateSingleProperty(one(key, {fieldValuePair: {websiteurl: "new.example"}}));
  got.single = (await api.retrieve(one(key, {select: ["websiteurl", "telephone1"]})));
  await api.deleteRecord(one(key, {navigationProperty: "websiteurl"}));
  got.emptied = (await api.retrieve(one(key, {select: ["websiteurl"]}))).websiteurl;
  const related = {relatedCollection: "contacts", relatedKey: told.contact, relationshipName: "contact_customer_accounts"};
  await api.associate({collection: "accounts", primaryKey: key, ...related});
  const contacts = async () => (await api.retrieve(one(key, {expand: [{property: "contact_customer_accounts"}]}))).contact_customer_accounts;
  got.associated = (await contacts()).map((each) => each.fullname);
  await api.disassociate({collection: "accounts", primaryKey: key, ...related});
  got.disassociated = (await contacts()).length;
  const parent = {collection: "accounts", primaryKey: key, navigationProperty: "parentaccountid"};
  await api.associateSingleValued({...parent, relatedCollection: "accounts", relatedKey: told.child});
  got.parented = (await api.retrieve(one(key, {select: ["_parentaccountid_value"]})))._parentaccountid_value;
  await api.disassociateSingleValued(parent);
  got.orphaned = (await api.retrieve(one(key, {select: ["_parentaccountid_value"]})))._parentaccountid_value;
  got.deleted = [await api.deleteRecord(one(key, {ifmatch: 'W/"1"'})), await api.deleteRecord(one(key)), await refused(api.retrieve(one(key)))];
};

const batch = async () => {
  api.startBatch();
  api.create({collection: "accounts", data: {name: "Batched"}, contentId: "1"});
  api.create({collection: "contacts", data: {lastname: "Set", "parentcustomerid_account@odata.bind": "$1"}});
  api.count({collection: "accounts"});
  api.retrieveMultiple({collection: "contacts", select: ["lastname"], filter: "lastname eq 'Set'", expand: [{property: "parentcustomerid_account", select: ["name"]}]});
  const [account, , count, contacts] = await api.executeBatch();
  got.batch = [typeof account, count, contacts.value.map((each) => each.parentcustomerid_account.name)];
  api.startBatch();
  api.create({collection: "accounts", data: {name: "Undone"}});
  api.update({collection: "accounts", key: told.child, data: {nosuch: 1}});
  got.failed = await api.executeBatch().then(() => "none", (errors) => errors.map((error) => error.status));
  got.undone = (await api.retrieveMultiple({collection: "accounts", filter: "name eq 'Undone'"})).value.length;
};

const describe = async () => {
  const tables = await api.retrieveEntities({select: ["LogicalName"], filter: "IsCustomEntity eq true"});
  got.tables = tables.value.map((each) => each.LogicalName);
  const key = (await api.retrieveEntity({key: "LogicalName='account'", select: ["MetadataId"]})).MetadataId;
  got.columns = (await api.retrieveAttributes({entityKey: key, select: ["LogicalName"]})).value.length;
  const name = (await api.retrieveAttributes({entityKey: key, filter: "LogicalName eq 'name'"})).value[0];
  got.column = (await api.retrieveAttribute({entityKey: key, attributeKey: name.MetadataId, castType: "Microsoft.Dynamics.CRM.StringAttributeMetadata"})).MaxLength;
  got.relationships = (await api.retrieveRelationships({select: ["SchemaName"]})).value.length;
  got.choices = (await api.retrieveGlobalOptionSets({})).value;
  got.csdl = (await api.retrieveCsdlMetadata()).includes("contact_customer_accounts");
};

const refuse = async () => {
  const fetchXml = "<fetch><entity name='account'/></fetch>";
  const guid = told.child;
  got.refused = {
    fetch: await refused(api.fetch({collection: "accounts", fetchXml})),
    fetchAll: await refused(api.fetchAll({collection: "accounts", fetchXml})),
    savedQuery: await refused(api.retrieveMultiple({collection: "accounts", savedQuery: guid})),
    apply: await refused(api.retrieveMultiple({collection: "accounts", apply: "groupby((statecode))"})),
    callAction: await refused(api.callAction({actionName: "Nothing", action: {}})),
    createEntity: await refused(api.createEntity({data: {LogicalName: "x"}})),
    updateEntity: await refused(api.updateEntity({data: {MetadataId: guid}})),
    createAttribute: await refused(api.createAttribute({entityKey: guid, data: {LogicalName: "x"}})),
    updateAttribute: await refused(api.updateAttribute({entityKey: guid, data: {MetadataId: guid}})),
    createRelationship: await refused(api.createRelationship({data: {SchemaName: "x"}})),
    updateRelationship: await refused(api.updateRelationship({data: {MetadataId: guid}})),
    deleteRelationship: await refused(api.deleteRelationship({key: guid})),
    retrieveRelationship: await refused(api.retrieveRelationship({key: guid})),
    createGlobalOptionSet: await refused(api.createGlobalOptionSet({data: {Name: "x"}})),
    updateGlobalOptionSet: await refused(api.updateGlobalOptionSet({data: {MetadataId: guid}})),
    deleteGlobalOptionSet: await refused(api.deleteGlobalOptionSet({key: guid})),
    retrieveGlobalOptionSet: await refused(api.retrieveGlobalOptionSet({key: guid})),
    search: await refused(api.search("x")), query: await refused(api.query("x")), suggest: await refused(api.suggest("x")), autocomplete: await refused(api.autocomplete("x")),
    getBackgroundOperationStatus: await refused(api.getBackgroundOperationStatus(guid)),
    cancelBackgroundOperation: await refused(api.cancelBackgroundOperation(guid)),
  };
};

(async () => {
  for (const part of [read, write, batch, describe, refuse]) await part();
  console.log(JSON.stringify(got));
})().catch((error) => { console.error(error); process.exit(1); });
