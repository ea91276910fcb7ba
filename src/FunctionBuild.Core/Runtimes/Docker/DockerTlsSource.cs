namespace FunctionBuild.Core.Runtimes.Docker;

/// <summary>
/// The files of a connection with TLS, by the names that Docker gives them: <c>ca.pem</c> with the authorities that may
/// vouch for the engine (without it, the system's), and <c>cert.pem</c> with <c>key.pem</c> for an engine that asks who we are.
/// </summary>
/// <param name="Folder">Where they are.</param>
/// <param name="MustExist">Whether the user named the folder, so that one without any of the files is an error.</param>
/// <param name="IsChecked">Whether the engine's certificate is checked.</param>
internal sealed record DockerTlsSource(string Folder, bool MustExist, bool IsChecked)
{
    public string Authorities => Path.Combine(Folder, "ca.pem");

    public string Certificate => Path.Combine(Folder, "cert.pem");

    public string Key => Path.Combine(Folder, "key.pem");

    /// <summary>Whether there is any of the files.</summary>
    public bool HasFiles => File.Exists(Authorities) || File.Exists(Certificate) || File.Exists(Key);
}
