// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using EbpfLb.FakeApi;
using EbpfLb.FakeApi.Bulk;
using EbpfLb.FakeApi.Manifests;
using EbpfLb.FakeApi.Security;

if (args is ["--help" or "-h"])
{
    Console.WriteLine(CommandLine.Help);
    return 0;
}
CommandLine line;
try
{
    line = CommandLine.Parse(args);
}
catch (FormatException exception)
{
    Console.Error.WriteLine("fakeapi: " + exception.Message);
    return 2;
}

using var stopping = new CancellationTokenSource();
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

await using var server = await FakeApiServer.StartAsync(new FakeApiOptions
{
    Listen = line.Listen,
    Tls = line.Tls is not null,
    Names = line.Names,
    PlainHttp2 = line.PlainHttp2,
});
try
{
    if (line.Objects is not null)
        ManifestFiles.Load(line.Objects, server.Store);
}
catch (Exception exception) when (exception is FormatException or IOException)
{
    Console.Error.WriteLine("fakeapi: " + exception.Message);
    return 2;
}
if (line.Services > 0)
{
    server.Bulk = new BulkCluster(server.Store, line.Services, line.Endpoints);
    server.Bulk.Load();
}
WriteCredentials();
Console.WriteLine(new JsonObject
{
    ["ready"] = true,
    ["url"] = server.Url.ToString().TrimEnd('/'),
    ["pid"] = Environment.ProcessId,
}.ToJsonString());

if (server.Bulk is not null && line.Churn > 0)
{
    await using var log = line.ChurnLog is null ? null : new StreamWriter(line.ChurnLog);
    await new Churn(server.Bulk, line.Churn, log).RunAsync(stopping.Token);
}
else
{
    await Task.Delay(Timeout.InfiniteTimeSpan, stopping.Token).ContinueWith(_ => { }, TaskScheduler.Default);
}
return 0;

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stopping.Cancel();
}

void WriteCredentials()
{
    var kubeconfig = server.Kubeconfig with { Token = line.Token };
    if (line.Token is not null)
    {
        server.Access.AddToken(line.Token, "admin");
        server.Access.Allow("admin", Grant.Everything);
    }
    if (server.Authority is { } authority)
    {
        using var client = authority.IssueClient("admin");
        Directory.CreateDirectory(line.Tls!);
        File.WriteAllText(Path.Combine(line.Tls!, "ca.crt"), authority.Pem);
        File.WriteAllText(Path.Combine(line.Tls!, "client.crt"), client.ExportCertificatePem());
        Kubeconfig.WriteSecret(Path.Combine(line.Tls!, "client.key"), Kubeconfig.KeyOf(client));
        if (line.Kubeconfig is not null && line.Token is null)
            (kubeconfig with { ClientCertificate = client }).Write(line.Kubeconfig);
    }
    if (line.Kubeconfig is not null && (line.Token is not null || server.Authority is null))
        kubeconfig.Write(line.Kubeconfig);
}
